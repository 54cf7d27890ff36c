/**
 * What each command of the tree promises beside what all of them do. A command that has no row here
 * fails `every-command.test.ts`.
 */

export interface Row {
  /** Where its example runs: in the site with a running engine unless told. */
  in?: 'running' | 'stopped' | 'bare';
  /** What stands for words of the example here, beside the usual. */
  words?: Readonly<Record<string, string>>;
  /** The exchange that the example is about: one that was delivered unless told. */
  about?: 'delivered' | 'parked' | 'another' | 'rejected';
  /** Exit codes the example may end with; 0 unless told. */
  exits?: readonly number[];
  /** It asks the running engine. */
  engine?: true;
  /** What may stand in its way for a moment: it is then called again. */
  passing?: RegExp;
  /** It changes something, or takes long, so it is run once, with `-o json` where it has that. */
  once?: true;
  /** With its output closed another one is tried, which prints by the same code: each is a process. */
  printsAs?: string;
  /** A call that names what is not there: exit 3. Null where no argument can be missing so. */
  missing: string | null;
  /** It then tells what becomes of such a name, and why: not an error, though it ends with 3. */
  tellsMissing?: true;
  /** A call that has to ask first: exit 2 where there is no terminal, naming this option. */
  asks?: readonly [call: string, option: string];
  /** It asks only where there is much to do: what is called before, on a journal that has much. */
  asksAfter?: readonly string[];
  /** The files of the site are edited before, and not applied. */
  edited?: true;
  /** It prints the caller's own file, or what another system answers. */
  shows?: true;
  /** The forms it has, where they are not all six. */
  forms?: readonly string[];
  /** It prints a format of its own, which says how it begins. */
  own?: RegExp;
  /**
   * It works until it is stopped: what it says when it is ready, what is added to the
   * example, and whether it has nothing to say until a message comes.
   */
  serves?: { ready: RegExp; more?: string; fed?: true };
}

/** The channel of which nothing else is asked here. */
const push = { 'gp-record': 'record-push' };

const practices = {
  'epraccur.csv': 'fixtures/practices/epraccur.csv',
  '@ccgs.txt': '@fixtures/practices/commissioners.txt',
};

export const rows: Readonly<Record<string, Row>> = {
  serve: {
    in: 'bare',
    missing: null,
    serves: { ready: /gp-record listens on \d+/ },
  },
  demo: {
    in: 'bare',
    missing: null,
    shows: true,
    own: /^\nThe hospital asks/,
    printsAs: 'message explain',
  },
  check: { missing: null, printsAs: 'config check' },
  'config check': { missing: null },
  'config schema': { missing: null, own: /^\{\n {2}"\$schema"/ },
  'config render': { missing: 'config render none' },
  'config diff': { printsAs: 'message show', missing: 'config diff ffffffffffff', exits: [0, 6] },
  'config history': { printsAs: 'channel list', missing: 'config history --data none' },
  'config rollback': {
    once: true,
    missing: 'config rollback 0000000000 --yes',
    asks: ['config rollback', '--yes'],
  },
  'key list': { printsAs: 'channel list', missing: 'key list --data none' },
  'key rotate': {
    once: true,
    words: { CHG0042: 'CHG0042 --yes' },
    missing: 'key rotate --data none --yes',
    asks: ['key rotate --reason CHG0042', '--yes'],
  },
  'key reencrypt': {
    once: true,
    words: { CHG0042: 'CHG0042 --yes' },
    missing: 'key reencrypt --data none',
    asks: ['key reencrypt --reason test', '--yes'],
    asksAfter: ['key rotate --reason test --yes'],
  },
  'key retire': {
    once: true,
    words: { CHG0042: 'CHG0042 --forget-practices --yes' },
    missing: 'key retire 0123456789abcdef',
    asks: ['key retire b5a0d749f49a8740 --forget-practices --reason test', '--yes'],
    asksAfter: ['key rotate --reencrypt --reason test --yes'],
  },
  'config apply': {
    engine: true,
    missing: null,
    once: true,
    edited: true,
    asks: ['config apply --skip-cases --reason test', '--yes'],
  },
  status: { engine: true, missing: null, exits: [0, 6] },
  'metrics show': {
    printsAs: 'channel list',
    engine: true,
    missing: 'metrics show --channel none',
  },
  tap: {
    engine: true,
    missing: 'tap none',
    forms: ['table', 'ndjson'],
    serves: { ready: /adt-feed/, fed: true },
  },
  top: { engine: true, missing: null },
  completion: { missing: null, own: /^#compdef|^# / },
  init: { in: 'bare', once: true, missing: null },
  doctor: { missing: null, exits: [0, 6] },
  send: { missing: 'send none.hl7 --to 127.0.0.1:2575', shows: true, printsAs: 'message send' },
  'cert list': { missing: null, printsAs: 'channel list' },
  'cert check': { printsAs: 'channel list', missing: 'cert check none.pem' },
  'cert rotate': {
    once: true,
    words: { 'new.key': 'new.key --yes' },
    missing: 'cert rotate none --from new.pem --key new.key',
    asks: ['cert rotate far-side --from new.pem --key new.key', '--yes'],
  },
  'channel list': { missing: null },
  'channel show': { missing: 'channel show none', printsAs: 'message show' },
  'channel add': { in: 'bare', once: true, missing: null },
  'channel pause': { engine: true, once: true, words: push, missing: 'channel pause none' },
  'channel stop': {
    engine: true,
    once: true,
    words: push,
    missing: 'channel stop none --yes',
    asks: ['channel stop gp-record', '--yes'],
  },
  'channel start': { engine: true, once: true, words: push, missing: 'channel start none' },
  'channel test': { missing: 'channel test none.case', shows: true },
  'mapping audit': { missing: 'mapping audit none.json', printsAs: 'mapping try' },
  'mapping list': { missing: null, printsAs: 'mapping show' },
  'mapping show': { missing: 'mapping show none' },
  'mapping watch': {
    missing: 'mapping watch none.json',
    serves: { ready: /AL1/ },
  },
  'mapping test': { in: 'bare', once: true, missing: 'mapping test none', shows: true },
  'mapping coverage': { in: 'bare', once: true, missing: 'mapping coverage none' },
  'mapping new': { in: 'bare', once: true, missing: null },
  'mapping try': { missing: 'mapping try none.json', shows: true },
  'message list': {
    missing: 'message list --data none',
    asks: ['message list --text Nobody', '--yes'],
    asksAfter: [],
  },
  'message show': { missing: 'message show JZ5K0T1Q2Z' },
  'message explain': { missing: 'message explain JZ5K0T1Q2Z' },
  'message diff': {
    printsAs: 'message show',
    missing: 'message diff JZ5K0T1Q2Z:received JZ5K0T1Q2Z:answer',
    exits: [0, 6],
  },
  'message export': { missing: 'message export --data none', once: true, own: /^$/ },
  'message ack-error': {
    printsAs: 'message list',
    engine: true,
    missing: 'message ack-error --fault GH-7007 --reason test --yes',
    asks: ['message ack-error --fault GH-7004 --reason test', '--yes'],
  },
  'message replay': {
    printsAs: 'message send',
    engine: true,
    missing: 'message replay JZ5K0T1Q2Z --dry-run',
    asks: ['message replay --fault GH-7004', '--yes'],
  },
  'message edit': {
    printsAs: 'message send',
    engine: true,
    about: 'parked',
    missing: 'message edit JZ5K0T1Q2Z --new-id --reason test --dry-run',
    asks: ['message edit JZ5K0T1Q2A --set PV1-2=I --reason test', '--yes'],
  },
  'message send': { missing: 'message send none.hl7 --to 127.0.0.1:2575', shows: true },
  'queue list': { printsAs: 'message list', engine: true, missing: null },
  'queue show': { printsAs: 'message show', engine: true, missing: 'queue show adt-feed/none' },
  'queue hold': { engine: true, once: true, missing: 'queue hold adt-feed/none' },
  'queue release': { engine: true, once: true, missing: 'queue release adt-feed/none' },
  'queue retry': {
    engine: true,
    once: true,
    passing: /GH-0011 .* is delivering/,
    words: { epr: 'laboratory' },
    missing: 'queue retry adt-feed/none',
  },
  'queue skip': {
    engine: true,
    once: true,
    about: 'another',
    words: { '"test patient"': '"test patient" --yes' },
    missing: 'queue skip adt-feed/none JZ5K0T1Q2A --reason test --yes',
    asks: ['queue skip adt-feed/epr JZ5K0T1Q2A --reason test', '--yes'],
  },
  'store stats': { printsAs: 'message show', missing: 'store stats --data none' },
  'store backup': { once: true, missing: 'store backup copy --data none' },
  'store verify': { missing: 'store verify --data none' },
  'store salvage': {
    printsAs: 'store verify',
    in: 'stopped',
    missing: 'store salvage --data none',
    asks: ['store salvage --reason test', '--yes'],
    asksAfter: [],
    exits: [0, 1, 5, 6],
  },
  'store prune': {
    printsAs: 'store verify',
    missing: 'store prune --data none --older-than 1d --dry-run',
    asks: ['store prune --older-than 0d --reason test', '--yes'],
  },
  'practice import': {
    words: practices,
    printsAs: 'practice lookup',
    missing: 'practice import none.csv --commissioner 08M --to legacy-gp',
    asks: [
      'practice import fixtures/practices/epraccur.csv --commissioner Z01 --to legacy-gp --apply',
      '--yes',
    ],
    exits: [0, 6],
  },
  'practice diff': {
    words: practices,
    printsAs: 'channel list',
    missing: 'practice diff none.csv --to legacy-gp',
    exits: [0, 6],
  },
  'practice list': { missing: 'practice list --to none', printsAs: 'channel list' },
  'practice lookup': { missing: 'practice lookup Z00000', tellsMissing: true },
  'route graph': { missing: 'route graph gp-recrod', own: /^stateDiagram-v2/ },
  'sim gp': {
    in: 'bare',
    missing: 'sim gp --patients none',
    serves: { ready: /speaks HL7 v2: /, more: '--port 0 --mllp-port 0' },
  },
  'sim receiver': {
    in: 'bare',
    missing: null,
    forms: ['table', 'ndjson'],
    serves: { ready: /the receiver listens on /, more: '--port 0' },
  },
  'sim hospital': { missing: null, words: { '--count 10': '--count 2 --rate 50' } },
  explain: { missing: 'explain GH-4020' },
  version: { printsAs: 'explain', missing: null },
};

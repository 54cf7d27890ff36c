/** The files of a new site, beside its channels. */
import { editorJsonSchema } from '../../engine/channel.ts';
import { settingsJsonSchema } from '../../engine/config/settings.ts';
import { routeJsonSchema } from '../../engine/route.ts';
import { schemaLines } from './templates.ts';
import { unitText } from './unit.ts';

/** Where everything stands that a new site names. */
export interface Place {
  /** Absolute path of the site. */
  root: string;
  /** The command line that starts this Gatehouse. */
  command: readonly string[];
}

/** Each file of a new site with its text. */
export function siteFiles(place: Place): [string, string][] {
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
  return [
    ['site.yaml', siteYaml],
    ['README.md', readme],
    ['.gitignore', ignored],
    // Functions of mappings are modules; this tells Node so.
    ['package.json', json({ private: true, type: 'module' })],
    ['.vscode/settings.json', json(editor)],
    ['.vscode/extensions.json', json({ recommendations: ['redhat.vscode-yaml'] })],
    ['schemas/channel.schema.json', json(editorJsonSchema())],
    ['schemas/site.schema.json', json(settingsJsonSchema())],
    ['schemas/route.schema.json', json(routeJsonSchema())],
    ['gatehouse.service', unitText(place)],
  ];
}

const editor = {
  'yaml.schemas': {
    './schemas/channel.schema.json': 'channels/*.yaml',
    './schemas/route.schema.json': 'channels/routes/*.yaml',
    './schemas/site.schema.json': 'site.yaml',
  },
  'files.associations': { '*.case': 'plaintext', '*.hl7': 'plaintext' },
  // The segments of a message end with CR alone, which an editor must not change.
  '[plaintext]': { 'files.trimTrailingWhitespace': false, 'files.insertFinalNewline': false },
};

const siteYaml = `${schemaLines('schemas/site.schema.json')}# What holds for the whole site. Everything here has a default; docs/reference/channel.md names all keys.

# alerts:
#   webhook: { url: https://alerts.hospital.example/gatehouse, authorization: "\${env:ALERT_TOKEN}" }

# /healthz, /readyz and /metrics:
# health: { port: 9464 }
`;

const ignored = `# The journal, its key, and what a person decided: never in git.
data/
*.key
*.pem
*.p12
.env
node_modules/
`;

const readme = `# A Gatehouse site

\`\`\`text
channels/    one file a channel; routes/ beside them
mappings/    one folder or file a mapping; tables/ of codes
fixtures/    messages, and cases: what comes in and what has to come out
schemas/     for editors: completion and checks as you type
site.yaml    what holds for the whole site
gatehouse.service   a systemd unit; its first lines say how it is installed
\`\`\`

Check it, play its cases, and ask a first question (each server in a terminal of its own):

\`\`\`sh
gatehouse check
gatehouse channel test
gatehouse sim gp
gatehouse serve
gatehouse send fixtures/gp-record/allergies.hl7 --to 127.0.0.1:2575 --new-id
\`\`\`

Another channel is \`gatehouse channel add NAME --template gp-record|adt-feed|push\` (where it delivers to nothing yet,
\`gatehouse sim receiver\` takes it, and can refuse, be late or be silent); a change is taken over by
\`gatehouse config apply --reason …\`, and taken back by \`gatehouse config rollback REVISION\`.

After an update of Gatehouse, write the schemas anew: \`gatehouse init --schemas\`.
`;

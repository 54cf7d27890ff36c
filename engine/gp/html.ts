/**
 * GP Connect Access Record HTML (0.7): the GP system's own view of a record, section by section. It is
 * asked for where a practice does not offer the structured record, or not all of it.
 */
import type { Fault } from '../faults.ts';
import { bundleType, resourcesOf } from './bundle.ts';
import { demographicsAsStu3 } from './dstu2.ts';
import {
  type Section,
  careRecord,
  careRecordClaims,
  dstu2,
  sectionParameters,
  sections,
} from './html-request.ts';
import type { Http } from './http.ts';
import { failed } from './outcome.ts';
import { type Period, outsideOf, periodOf } from './period.ts';
import type { Asker, AskHtml, Attempt, Hop, HtmlSection, LocateEndpoint, Outcome } from './port.ts';
import {
  type Provider,
  type ProviderOptions,
  createProviders,
  unreadable,
  whyOtherPatient,
} from './provider.ts';

/**
 * Asks for the sections of the datasets asked for. Outcomes as of the structured record; `permanent`
 * also where none of the datasets has a section.
 *
 * One section is asked for first: where the practice refuses it, it is not asked for more. The others
 * follow together; one that fails is in the reply with its fault, for the rest of the view is still
 * worth having. A section about another patient ends it all.
 */
export function createHtml(options: ProviderOptions, http: Http): AskHtml {
  const now = options.now ?? Date.now;
  const providers = createProviders(options, http);
  return async (request, endpoint, asker, attempt) => {
    const provider = providers(endpoint, asker);
    if ('fault' in provider) return failed(provider.fault, []);
    const [first, ...others] = sections.filter(({ dataset }) => request.datasets.includes(dataset));
    if (!first) return failed({ name: 'practiceNotEnabled', detail: 'no section of HTML' }, []);
    const period = periodOf(request);
    const hops: Hop[] = [];
    const one = (section: Section) =>
      askSection({ provider, section, period, asker, attempt, hops }, request.nhsNumber);

    const opening = await one(first);
    if ('event' in opening) return { event: opening.event, fault: opening.fault, hops };
    const rest = await Promise.all(others.map(one));
    const wrong = rest.find((reply) => 'event' in reply && reply.fault?.name === 'wrongPatient');
    if (wrong) return failed({ name: 'wrongPatient' }, hops);
    const answered = [opening, ...rest].map((reply, i): HtmlSection => {
      const { dated, ...section } = i === 0 ? first : (others[i - 1] as Section);
      if ('event' in reply) return { ...section, fault: reply.fault };
      const outside = dated && outsideOf(period);
      const limit = outside && `Items dated ${outside} were not asked for`;
      return { ...section, html: reply.html, ...(limit && { limit }) };
    });
    const asked = request.from !== undefined || request.to !== undefined;
    const limited = answered.every(({ limit }) => limit !== undefined);
    const bundle = demographicsAsStu3(opening.bundle);
    return {
      event: 'reply',
      value: { kind: 'html', bundle, sections: answered, datesIgnored: asked && !limited },
      hops,
    };
  };

  async function askSection(
    call: {
      provider: Provider;
      section: Section;
      period: Period;
      asker: Asker;
      attempt: Attempt;
      hops: Hop[];
    },
    nhsNumber: string,
  ): Promise<{ bundle: unknown; html: string[] } | Pick<Outcome<never>, 'event' | 'fault'>> {
    const { provider, section, period, asker, attempt, hops } = call;
    const { json, ended } = await provider.ask(
      {
        interaction: careRecord,
        method: 'POST',
        path: 'Patient/$gpc.getcarerecord',
        mediaType: dstu2,
        claims: careRecordClaims(options, nhsNumber, asker, provider.user, now()),
        body: sectionParameters(nhsNumber, section, period),
        wanted: 'Bundle',
      },
      attempt,
      hops,
    );
    if (ended) return ended;
    const unfit = whyNoView(json, nhsNumber);
    if (unfit) return failed(unfit, []);
    const html = divsOf(json);
    return html.length > 0 ? { bundle: json, html } : failed(unreadable('no section'), []);
  }
}

/** A directory that finds a practice's HTML service. @param locate looks up its interaction */
export const asHtml =
  (locate: LocateEndpoint): LocateEndpoint =>
  async (practice, asker, attempt) => {
    const outcome = await locate(practice, asker, attempt);
    const { value } = outcome;
    return value?.kind === 'gpconnect'
      ? { ...outcome, value: { ...value, kind: 'html' } }
      : outcome;
  };

function whyNoView(bundle: unknown, nhsNumber: string): Fault | undefined {
  // The specification says searchset; some systems call a Bundle with a Composition a document.
  const type = bundleType(bundle);
  if (type !== 'searchset' && type !== 'document') return unreadable('not a searchset Bundle');
  return whyOtherPatient(bundle, nhsNumber);
}

/** The XHTML of every section that came, those inside a section too: nothing of a reply is left. */
function divsOf(bundle: unknown): string[] {
  const within = (section: unknown): string[] => {
    const { text, section: inner } = (section ?? {}) as {
      text?: { div?: unknown };
      section?: unknown;
    };
    const own = typeof text?.div === 'string' ? [text.div] : [];
    return [...own, ...(Array.isArray(inner) ? inner.flatMap(within) : [])];
  };
  return resourcesOf(bundle, 'Composition').flatMap(within);
}

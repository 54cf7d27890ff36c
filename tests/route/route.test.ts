import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { initialTransition, transition } from 'xstate';
import { checkYaml, readYaml } from '../../engine/config/yaml.ts';
import { effects } from '../../engine/effects.ts';
import { checkRoute, mermaid } from '../../engine/route-check.ts';
import {
  type RouteDefinition,
  compileRoute,
  keyOf,
  machineOf,
  pathsOf,
  routeSchema,
} from '../../engine/route.ts';

const folder = new URL('../../channels/routes/', import.meta.url).pathname;
const shipped = readdirSync(folder).map((name) => {
  const source = readYaml(folder + name);
  const { value, findings } = checkYaml(source, routeSchema);
  assert.deepEqual(findings, []);
  assert.ok(value);
  return { name, source, definition: value };
});

function findingsOf(text: string) {
  const source = readYaml('route.yaml', text);
  const { value, findings } = checkYaml(source, routeSchema);
  return value ? checkRoute(source, value) : findings;
}

describe('route', () => {
  for (const { name, source, definition } of shipped) {
    describe(name, () => {
      it('is proved to answer whatever happens', () => {
        assert.deepEqual(checkRoute(source, definition), []);
      });

      it('its table decides as xstate does, for every configuration and every outcome', () => {
        const route = compileRoute(definition);
        const machine = machineOf(definition);
        const every = [
          ...new Set(Object.values(effects).flatMap((e) => e.outcomes as readonly string[])),
        ];
        const property = fc.property(
          fc.array(fc.constantFrom(...every), { maxLength: 25 }),
          (outcomes) => {
            let [snapshot] = initialTransition(machine);
            let key = route.start;
            assert.equal(key, keyOf(snapshot));
            for (const outcome of outcomes) {
              if ('end' in route.at(key)) break;
              const next = route.at(key);
              // Outcomes an effect cannot have are no events of the route.
              if (
                !('do' in next) ||
                !(effects[next.do].outcomes as readonly string[]).includes(outcome)
              )
                continue;
              [snapshot] = transition(machine, snapshot as never, { type: outcome } as never);
              key = route.decide(key, outcome);
              assert.equal(key, keyOf(snapshot));
            }
          },
        );
        fc.assert(property, { numRuns: 300 });
      });

      it('every configuration handles every outcome of its effect', () => {
        const route = compileRoute(definition);
        for (const [key, { next, on }] of route.table) {
          if ('end' in next) continue;
          for (const outcome of effects[next.do].outcomes)
            assert.ok(on.has(outcome), `${key}: ${outcome}`);
        }
        for (const path of pathsOf(route)) {
          const last = definition.states[path.at(-1) ?? ''];
          assert.ok(last && 'end' in last, path.join(' '));
        }
      });

      it('is drawn with all of its states', () => {
        const graph = mermaid(definition);
        for (const state of Object.keys(definition.states))
          assert.ok(graph.includes(`  ${state} : `));
      });
    });
  }

  it('retries as often as it says, then takes the next choice', () => {
    const definition: RouteDefinition = shipped.find((r) => r.name === 'gp-record.yaml')
      ?.definition as RouteDefinition;
    const route = compileRoute(definition);
    let key = route.start;
    for (const outcome of ['found', 'found', 'found', 'found']) key = route.decide(key, outcome);
    const seen: string[] = [];
    for (let i = 0; i < 5; i++) {
      const next = route.at(key);
      seen.push(next.state.replace(/ .*/, ''));
      key = route.decide(key, 'do' in next && next.do === 'wait' ? 'elapsed' : 'transient');
    }
    assert.deepEqual(seen, ['ask', 'ask', 'ask', 'ask', 'ask']);
    assert.equal(route.at(key).state, 'second');
  });

  it('knows a configuration that another process came to, and no other', () => {
    const definition = shipped.find((r) => r.name === 'gp-record.yaml')?.definition;
    assert.ok(definition);
    const last = [...compileRoute(definition).table.keys()].at(-1) ?? '';
    const route = compileRoute(definition);
    assert.ok(route.at(last).state);
    assert.throws(() => route.at('ask retried=99'), RangeError);
    assert.throws(() => route.decide('ask retried=99', 'found'), RangeError);
  });

  describe('check finds', () => {
    const good = `route: r
version: "1"
start: a
states:
  a:
    do: map
    on:
      found: b
      permanent: c
  b: { end: record }
  c: { end: fault }
`;
    it('nothing in a sound route', () => assert.deepEqual(findingsOf(good), []));

    it('an outcome without a way on, at its state', () => {
      const [finding] = findingsOf(good.replace('      permanent: c\n', ''));
      assert.equal(finding?.where, 'route.yaml:7:5');
      assert.match(finding?.says ?? '', /does not say what follows "permanent"/);
    });

    it('a state that does not exist, with the one that was meant', () => {
      const [finding] = findingsOf(good.replace('found: b', 'found: bb'));
      assert.equal(finding?.where, 'route.yaml:8:14');
      assert.match(finding?.says ?? '', /no state "bb"; did you mean "b"/);
    });

    it('an outcome the effect never has', () => {
      const findings = findingsOf(good.replace('permanent: c', 'permanent: c\n      found2: c'));
      assert.match(findings[0]?.says ?? '', /never ends with "found2"; did you mean "found"/);
      assert.equal(findings[0]?.where, 'route.yaml:10:7');
    });

    it('a state nobody reaches', () => {
      const findings = findingsOf(`${good}  d: { end: fault }\n`);
      assert.match(findings[0]?.says ?? '', /"d" is never reached/);
    });

    it('states that follow each other for ever', () => {
      const loop = good
        .replace('found: b', 'found: a2')
        .replace('  b: { end: record }', '  a2:\n    do: map\n    on: { found: a, permanent: c }');
      assert.match(findingsOf(loop)[0]?.says ?? '', /for ever: a → a2 → a/);
    });

    it('a retry with nothing after it', () => {
      const findings = findingsOf(
        good.replace('permanent: c', 'permanent: [{ retry: 2, after: 1s }]'),
      );
      assert.match(findings[0]?.says ?? '', /after the last retry there is no state/);
    });

    it('an unknown effect and an unknown key', () => {
      assert.match(findingsOf(good.replace('do: map', 'do: mapp'))[0]?.says ?? '', /./);
      const [finding] = findingsOf(good.replace('start: a', 'start: a\nstrat: b'));
      assert.match(finding?.says ?? '', /unknown key "strat"; did you mean "start"/);
    });
  });
});

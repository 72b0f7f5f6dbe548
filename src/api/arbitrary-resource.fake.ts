import fc from 'fast-check';
import { arbitraryOf } from './arbitrary-fields.fake.js';
import { workloadEndpointName } from './names.js';
import { type PublicKind, publicKinds, type PublicResourceByKind } from './registry.js';
import { outlineOf } from './schema-outline.js';
import { parseResource, validate } from './validate.js';

type Fields = Record<string, unknown>;

const NAMES: Readonly<Partial<Record<PublicKind, readonly string[]>>> = {
  BGPConfiguration: ['default', 'node.host-1'],
  FelixConfiguration: ['default', 'node.host-1', 'edge'],
  ClusterInformation: ['default'],
  IPAMConfiguration: ['default'],
  KubeControllersConfiguration: ['default'],
  Tier: ['security', 'a-1'],
};

const label = fc.constantFrom('app', 'example.com/role', 'x_Y.z');

function metadataOf(kind: PublicKind): fc.Arbitrary<Fields> {
  return fc
    .record({
      name: fc.constantFrom(...(NAMES[kind] ?? ['web', 'web.one', '0a-b'])),
      namespace: fc.constantFrom(...(publicKinds[kind].namespaced ? ['default', 'shop-1'] : [undefined])),
      labels: fc.option(fc.dictionary(label, fc.constantFrom('', 'v', 'A-1')), { nil: undefined }),
      annotations: fc.option(fc.dictionary(label, fc.string(), { minKeys: 1 }), { nil: undefined }),
    })
    .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)));
}

/** `spec.ingress[2].ports` → its steps. */
function stepsOf(path: string): readonly string[] {
  return [...path.matchAll(/\[(\d+)\]|\["([^"]*)"\]|([^.[\]]+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
}

/** Takes away what stands at the path, or the nearest thing that holds it. @returns false when nothing may go */
function takeAway(object: Fields, path: string): boolean {
  const steps = stepsOf(path);
  let holder: unknown = object;
  let last: { readonly holder: Fields | unknown[]; readonly step: string } | undefined;
  for (const step of steps) {
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, step)) break;
    last = { holder: holder as Fields, step };
    holder = (holder as Fields)[step];
  }
  if (last === undefined || last.step === 'spec') return false;
  if (Array.isArray(last.holder)) last.holder.splice(Number(last.step), 1);
  else delete last.holder[last.step];
  return true;
}

const ATTEMPTS = 200;

/** Leaves out what breaks rules, until none is broken; undefined where that does not help. */
function mended(object: Fields): Fields | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const issues = validate(object);
    const [first] = issues;
    if (first === undefined) return object;
    // Wrong values all at once, the last first, so that places stay what they are; of rules between fields one may mend the next.
    const values = issues.filter(({ code }) => code !== 'rule').toReversed();
    if (!(values.length > 0 ? values : [first]).every(({ path }) => takeAway(object, path))) return undefined;
  }
  return undefined;
}

function named(kind: PublicKind, object: Fields): Fields {
  if (kind !== 'WorkloadEndpoint') return object;
  const spec = { ...(object['spec'] as Fields), node: 'n-1', orchestrator: 'cni', containerID: 'c1', endpoint: 'eth0' };
  return { ...object, spec, metadata: { ...(object['metadata'] as Fields), name: workloadEndpointName(spec) } };
}

/** A made-up object of a kind that is right in every respect, as `parseResource()` gives it. */
export function arbitraryResource<K extends PublicKind>(kind: K): fc.Arbitrary<PublicResourceByKind[K]> {
  const spec = arbitraryOf(outlineOf(publicKinds[kind].spec), 'spec');
  return fc
    .record({
      apiVersion: fc.constant('projectcalico.org/v3'),
      kind: fc.constant(kind),
      metadata: metadataOf(kind),
      spec,
    })
    .map((object) => mended(structuredClone(named(kind, object))))
    .filter((object) => object !== undefined)
    .map((object) => parseResource(object) as PublicResourceByKind[K]);
}

import { parse } from 'yaml';
import type { ResourceKey, ResourceUpdate } from '../api/resource-update.js';
import type { HostPolicy, IpSetPlan } from '../plan/host-plan.js';
import { printHostPolicy, printHostPolicyDelta } from '../plan/print.js';
import { type Direction, evaluatePacket, type Packet, printVerdict } from './evaluate.js';
import { PolicyMachine } from './machine.js';

/** Builds an update as the syncer gives it; the key text is `<namespace>/<name>` or `<name>`. */
export function updateOf(kind: string, keyText: string, object?: { spec?: unknown; labels?: unknown }): ResourceUpdate {
  const [first = '', second] = keyText.split('/');
  const key = second === undefined ? { kind, name: first } : { kind, namespace: first, name: second };
  const { spec = {}, labels } = object ?? {};
  const metadata = { ...key, ...(labels === undefined ? {} : { labels }) };
  const value = object === undefined ? undefined : { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
  return { kind, key: key as ResourceKey, value, revision: '1' } as ResourceUpdate;
}

const PROTOCOLS = new Map([
  ['icmp', 1],
  ['tcp', 6],
  ['udp', 17],
  ['icmpv6', 58],
  ['sctp', 132],
]);

/** `192.0.2.1`, `192.0.2.1:80` or `[2001:db8::1]:80`. */
function parseSide(text: string): { address: string; port?: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  if (match === null) return { address: text.replace(/[[\]]/g, '') };
  return { address: match[1] ?? match[2] ?? '', port: Number(match[3]) };
}

/** `tcp 192.0.2.9:999 > 192.0.2.1:80`; `icmp/8 192.0.2.9 > 192.0.2.1` has a type. */
export function parsePacket(text: string): Packet {
  const [protocolText = '', sourceText = '', , destinationText = ''] = text.split(/\s+/);
  const [protocolName = '', type] = protocolText.split('/');
  const source = parseSide(sourceText);
  const destination = parseSide(destinationText);
  return {
    protocol: PROTOCOLS.get(protocolName) ?? Number(protocolName),
    source: source.address,
    destination: destination.address,
    ...(source.port === undefined ? {} : { sourcePort: source.port }),
    ...(destination.port === undefined ? {} : { destinationPort: destination.port }),
    ...(type === undefined ? {} : { icmp: { type: Number(type), code: 0 } }),
  };
}

/** Remembers sets by name also after they are gone. */
class SetNames {
  readonly #descriptions = new Map<string, string>();

  learn(sets: Iterable<IpSetPlan>): void {
    for (const set of sets) this.#descriptions.set(set.id, set.description);
  }

  readonly nameOf = (id: string): string => `{${this.#descriptions.get(id) ?? id}}`;
}

/**
 * Runs one scenario: blocks of commands, below each `----` and what it printed, between blocks an empty line.
 *
 *     put KIND [NAMESPACE/]NAME {YAML flow mapping: the spec; `labels` beside it are the object's}
 *     delete KIND [NAMESPACE/]NAME
 *     flush | state | problems
 *     packet ENDPOINT ingress|egress PROTOCOL SOURCE > DESTINATION
 *
 * A command continues on lines that are indented; `#` begins a comment.
 *
 * @returns the scenario with the results as they are
 */
export function runScenario(text: string): string {
  const run = new ScenarioRun();
  const blocks = text.trimEnd().split(/\n\n+/);
  const results = blocks.map((block) => {
    const [commands = ''] = block.split('\n----');
    const lines = commands.replace(/\n\s+/g, ' ').split('\n');
    const output = lines.filter((line) => !line.startsWith('#')).flatMap((line) => run.execute(line.trim()));
    return output.length === 0 ? commands : `${commands}\n----\n${output.join('\n')}`;
  });
  return `${results.join('\n\n')}\n`;
}

class ScenarioRun {
  readonly #machine = new PolicyMachine({ hostname: 'here' });
  readonly #names = new SetNames();

  execute(line: string): string[] {
    const [verb = '', ...rest] = line.split(' ');
    switch (verb) {
      case '':
        return [];
      case 'put':
      case 'delete':
        return this.#update(line);
      case 'flush':
        return [this.#flush()];
      case 'state':
        return [printHostPolicy(this.state) || 'nothing'];
      case 'problems':
        return [...this.#machine.problems].map(([id, problems]) => `${id}: ${problems.join('; ')}`);
      case 'packet': {
        const [endpoint = '', direction = '', ...packet] = rest;
        const verdict = evaluatePacket(this.state, endpoint, direction as Direction, parsePacket(packet.join(' ')));
        return [`${rest.join(' ')}: ${printVerdict(verdict)}`];
      }
      default:
        throw new Error(`scenario: no such command: ${line}`);
    }
  }

  get state(): HostPolicy {
    return this.#machine.state;
  }

  #update(line: string): string[] {
    const match = /^(put|delete) (\S+) (\S+)(?: (\{.*))?$/.exec(line);
    if (match === null) throw new Error(`scenario: cannot read: ${line}`);
    const [, verb, kind = '', key = '', yaml = '{}'] = match;
    if (verb === 'delete') this.#machine.apply([updateOf(kind, key)]);
    else {
      const { labels, ...spec } = parse(yaml) as { labels?: unknown };
      this.#machine.apply([updateOf(kind, key, { spec, labels })]);
    }
    return [];
  }

  #flush(): string {
    const delta = this.#machine.flush();
    this.#names.learn(delta.ipSets.set.values());
    return printHostPolicyDelta(delta, this.#names.nameOf);
  }
}

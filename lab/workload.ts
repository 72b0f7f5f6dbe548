import { CalicoError } from '../src/base/errors.js';
import type { AgentClient } from './agent-client.js';
import type { AgentAnswer } from './agent-protocol.js';
import type { LabHost } from './host.js';
import { insideNetwork } from './namespaces.js';
import { PingMeter } from './ping-meter.js';
import { end, failure, labEnvironment, run } from './processes.js';
import type { Finished } from './processes.js';
import type { WorkloadRecord } from './state.js';

export type Probe = { readonly tcp: number } | { readonly udp: number } | { readonly icmp: true };

export interface ProbeOptions {
  /** Which address of the target; 4 unless told. */
  readonly family?: 4 | 6;
  /** Patience; 400 ms unless told: an answer takes well under one. */
  readonly timeoutMs?: number;
}

/** A workload: a network namespace inside a host, with a program in it that listens and tries. */
export class LabWorkload {
  readonly name: string;
  readonly host: LabHost;
  readonly addresses: readonly string[];
  /** The host's end of its cable. */
  readonly hostInterface: string;
  readonly record: WorkloadRecord;
  readonly #agent: AgentClient;
  readonly #listening = new Set<string>();

  constructor(host: LabHost, record: WorkloadRecord, agent: AgentClient) {
    this.name = record.name;
    this.host = host;
    this.addresses = record.addresses;
    this.hostInterface = record.hostInterface;
    this.record = record;
    this.#agent = agent;
  }

  /** The file of its network namespace. */
  get netns(): string {
    return `/proc/${this.record.process.pid}/ns/net`;
  }

  address(family: 4 | 6): string {
    const found = this.addresses.find((address) => address.includes(':') === (family === 6));
    if (found === undefined)
      throw new CalicoError('ERR_CALI_LAB_WORKLOAD', `workload "${this.name}" has no IPv${family} address`);
    return found;
  }

  /** Makes it listen; a port that listens already is left alone. */
  async listen(ports: { tcp?: readonly number[]; udp?: readonly number[] }): Promise<void> {
    const tcp = (ports.tcp ?? []).filter((port) => !this.#listening.has(`tcp:${port}`));
    const udp = (ports.udp ?? []).filter((port) => !this.#listening.has(`udp:${port}`));
    if (tcp.length + udp.length === 0) return;
    const answer = await this.#agent.ask({ op: 'listen', tcp, udp });
    if (!answer.ok)
      throw new CalicoError('ERR_CALI_LAB_WORKLOAD', `workload "${this.name}" cannot listen: ${answer.why}`);
    for (const port of tcp) this.#listening.add(`tcp:${port}`);
    for (const port of udp) this.#listening.add(`udp:${port}`);
  }

  /** Whether it gets through to `target`: an answer from that workload itself counts, nothing else. */
  async can(target: LabWorkload, probe: Probe, options: ProbeOptions = {}): Promise<boolean> {
    const answer = await this.#try(target.address(options.family ?? 4), target, probe, options.timeoutMs ?? 400);
    return answer.ok && (answer.from === undefined || answer.from === target.name);
  }

  /** Whether anybody answers at an address. */
  async canReach(address: string, probe: Probe, timeoutMs = 400): Promise<boolean> {
    return (await this.#try(address, undefined, probe, timeoutMs)).ok;
  }

  async #try(address: string, target: LabWorkload | undefined, probe: Probe, timeoutMs: number): Promise<AgentAnswer> {
    if ('icmp' in probe) return this.#agent.ask({ op: 'icmp', address, timeoutMs });
    if ('tcp' in probe) {
      await target?.listen({ tcp: [probe.tcp] });
      return this.#agent.ask({ op: 'tcp', address, port: probe.tcp, timeoutMs });
    }
    await target?.listen({ udp: [probe.udp] });
    return this.#agent.ask({ op: 'udp', address, port: probe.udp, timeoutMs });
  }

  /**
   * Tries again and again until a connection is let through, a new try every few milliseconds.
   *
   * @returns the monotonic time (`process.hrtime`, in milliseconds) at which the first one was
   * @throws {CalicoError} none was in `timeoutMs`
   */
  async firstThrough(target: LabWorkload, port: number, options: ProbeOptions = {}): Promise<number> {
    await target.listen({ tcp: [port] });
    const address = target.address(options.family ?? 4);
    const answer = await this.#agent.ask({ op: 'wait-tcp', address, port, timeoutMs: options.timeoutMs ?? 5_000 });
    if (answer.ok && answer.at !== undefined) return answer.at;
    const why = answer.ok ? 'no time given' : answer.why;
    throw new CalicoError('ERR_CALI_LAB_WORKLOAD', `"${this.name}" to "${target.name}" port ${port}: ${why}`);
  }

  /** A ping every `intervalMs` until it is stopped. */
  ping(target: LabWorkload | string, options: { family?: 4 | 6; intervalMs?: number } = {}): PingMeter {
    const address = typeof target === 'string' ? target : target.address(options.family ?? 4);
    return new PingMeter((inner) => this.command(inner), address, options.intervalMs ?? 5);
  }

  /** The command that runs another one in the workload's network namespace. */
  command(command: readonly string[]): string[] {
    return insideNetwork(this.record.process.pid, command);
  }

  /** Runs a command in the workload's network namespace. */
  async exec(command: readonly string[], options: { check?: boolean; timeoutMs?: number } = {}): Promise<Finished> {
    const { check = true, ...rest } = options;
    const result = await run(this.command(command), { ...rest, env: labEnvironment() });
    if (check && result.status !== 0) throw failure([`${this.name}:`, ...command], result);
    return result;
  }

  /** Ends its program; the namespace and with it the cable go. */
  async remove(): Promise<void> {
    this.#agent.close();
    await end(this.record.process);
  }

  /** Lets go of it without ending it. */
  release(): void {
    this.#agent.close();
  }
}

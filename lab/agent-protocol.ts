/**
 * What the lab says to the program that runs in each workload, one JSON object a line over a unix socket; each request has a number
 * that its answer carries back.
 */
export type AgentRequest =
  | { readonly op: 'listen'; readonly tcp: readonly number[]; readonly udp: readonly number[] }
  | { readonly op: 'tcp'; readonly address: string; readonly port: number; readonly timeoutMs: number }
  | { readonly op: 'udp'; readonly address: string; readonly port: number; readonly timeoutMs: number }
  | { readonly op: 'icmp'; readonly address: string; readonly timeoutMs: number }
  | { readonly op: 'wait-tcp'; readonly address: string; readonly port: number; readonly timeoutMs: number };

/** `from`: the name of the workload that answered, `at`: the machine's monotonic clock in milliseconds when it did. */
export type AgentAnswer =
  | { readonly id: number; readonly ok: true; readonly from?: string; readonly at?: number }
  | { readonly id: number; readonly ok: false; readonly why: string };

export type Numbered = AgentRequest & { readonly id: number };

/** Splits a byte stream into lines and hands each on, parsed. */
export function jsonLines(hear: (value: unknown) => void): (data: Buffer) => void {
  let rest = '';
  return (data) => {
    const lines = (rest + data.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') hear(JSON.parse(line));
  };
}

import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabHost } from './host.js';

/** What is asked of every host, by the name of the file that gets the answer. */
const questions: Readonly<Record<string, readonly string[]>> = {
  'ruleset.nft': ['nft', '-a', 'list', 'ruleset'],
  'iptables.txt': ['iptables-save', '-c'],
  'ip6tables.txt': ['ip6tables-save', '-c'],
  'links.txt': ['ip', '-d', 'address'],
  'routes.txt': ['ip', 'route', 'show', 'table', 'all'],
  'routes6.txt': ['ip', '-6', 'route', 'show', 'table', 'all'],
  'neighbours.txt': ['ip', 'neighbour'],
  'conntrack.txt': ['conntrack', '-L'],
  'processes.txt': ['ps', '-ef'],
  'bird.txt': ['birdc', '-s', '/run/calico/bird.ctl', 'show', 'protocols', 'all'],
};

/** Leaves in `folder`, a folder a host, what somebody would ask of it after a failure; also captures and logs. */
export async function collectEvidence(hosts: readonly LabHost[], folder: string): Promise<void> {
  await Promise.all(
    hosts.map(async (host) => {
      const place = join(folder, host.name);
      mkdirSync(place, { recursive: true });
      for (const [file, command] of Object.entries(questions)) {
        const { stdout, stderr } = await host.exec(command, { check: false, timeoutMs: 5_000 });
        writeFileSync(join(place, file), stdout + stderr);
      }
      try {
        cpSync(host.path('/var/log/calico'), join(place, 'log'), { recursive: true });
      } catch (error) {
        writeFileSync(join(place, 'log-missing.txt'), String(error));
      }
    }),
  );
}

/** Captures what passes a host's uplink into its log folder: the last 20 MB. */
export async function startCapture(host: LabHost): Promise<void> {
  await host.spawn(
    [
      'tcpdump',
      '-Z',
      'root',
      '-U',
      '-n',
      '-i',
      'eth0',
      '-s',
      '128',
      '-C',
      '10',
      '-W',
      '2',
      '-w',
      '/var/log/calico/eth0.pcap',
    ],
    { log: '/var/log/calico/tcpdump.log' },
  );
}

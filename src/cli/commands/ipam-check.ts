import type { Command } from '../command.js';

export const ipamCheck: Command = {
  name: 'ipam check',
  help: 'look for addresses that leaked, and for everything else in IPAM that does not fit together',
  options: [
    { flags: '-o, --output <file>', help: 'write a report, for ipam release --from-report' },
    { flags: '--show-all-ips', help: 'every address and who has it' },
    { flags: '--show-problem-ips', help: 'every problem by name' },
    { flags: '--kubeconfig <file>', help: 'of the cluster, where its API is not the datastore' },
  ],
  examples: [
    ['ipam check --show-problem-ips', 'name everything that does not fit'],
    ['ipam check -o report.json', 'write what leaked, for ipam release'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { checkAddresses } = await import('../addresses/ipam-check.js');
    return checkAddresses(call, context);
  },
};

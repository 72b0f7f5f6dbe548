import { type Command, NAMESPACE_OPTION } from '../command.js';

export const policyOrder: Command = {
  name: 'policy order',
  help: 'show what is evaluated for an endpoint, in which order: tiers, policies, rules, profiles',
  arguments: ['<endpoint>'],
  options: [{ flags: '-o, --output <format>', help: 'ps (default), yaml or json' }, NAMESPACE_OPTION],
  usesDatastore: true,
  examples: [
    ['policy order 192.168.1.1', 'of the endpoint that has the address'],
    ['policy order shop/web-0 -o yaml', 'of the pod web-0 in namespace shop, for programs'],
  ],
  async handler(call, context) {
    const { showPolicyOrder } = await import('../read/policy-order.js');
    return showPolicyOrder(call, context);
  },
};

import { type Command, NAMESPACE_OPTION } from '../command.js';

export const wait: Command = {
  name: 'wait',
  help: 'wait until resources are there, are gone, or are as they should be',
  arguments: ['<kind>', '<names...>'],
  options: [
    {
      flags: '--for <condition>',
      help: 'create, delete, condition=TYPE[=STATUS] or jsonpath={.PATH}[=VALUE]',
      values: ['create', 'delete', 'condition=', 'jsonpath='],
    },
    { flags: '--timeout <duration>', help: 'when to give up, such as 90s or 2m (default: 30s)' },
    NAMESPACE_OPTION,
  ],
  examples: [
    ['wait ippool old --for=delete --timeout=2m', 'until the pool is gone'],
    [`wait tier security --for='jsonpath={.spec.order}=100'`, 'until a field has a value'],
    ['wait ippool office --for=condition=Allocatable', 'until its status says so'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { waitForResources } = await import('../read/wait-for-resources.js');
    return waitForResources(call, context);
  },
};

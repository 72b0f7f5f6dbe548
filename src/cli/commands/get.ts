import { type Command, FILE_OPTIONS, NAMESPACE_OPTION } from '../command.js';

export const get: Command = {
  name: 'get',
  help: 'show resources: all of a kind, those named, or those that a file names',
  arguments: ['[kind]', '[names...]'],
  options: [
    ...FILE_OPTIONS,
    NAMESPACE_OPTION,
    { flags: '-A, --all-namespaces', help: 'of all namespaces' },
    { flags: '-o, --output <format>', help: 'ps (default), wide, yaml, json or custom-columns=NAME,…' },
    { flags: '--export', help: 'without what belongs to this cluster alone; only for resources given by name' },
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { getResources } = await import('../get-resources.js');
    return getResources(call, context);
  },
};

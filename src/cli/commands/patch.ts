import { type Command, DRY_RUN_OPTION, NAMESPACE_OPTION } from '../command.js';
import { WARNINGS_OPTION } from '../write/warnings.js';

export const patch: Command = {
  name: 'patch',
  help: 'change some fields of one resource',
  arguments: ['<kind>', '<name>'],
  options: [
    { flags: '-p, --patch <patch>', help: 'what to change, as JSON or YAML' },
    {
      flags: '-t, --type <type>',
      help: 'strategic (default) and merge: fields as they are to be, null takes one away; json: a list of operations (RFC 6902)',
      values: ['strategic', 'merge', 'json'],
    },
    NAMESPACE_OPTION,
    DRY_RUN_OPTION,
    WARNINGS_OPTION,
  ],
  examples: [
    ['patch ippool office -p \'{"spec":{"natOutgoing":true}}\'', 'set one field'],
    [
      'patch node host-7 --type json -p \'[{"op":"remove","path":"/spec/bgp/asNumber"}]\'',
      'take one away, by its path',
    ],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { patchResource } = await import('../write/patch-resource.js');
    return patchResource(call, context);
  },
};

import { type Command, FILE_OPTIONS } from '../command.js';

export const convert: Command = {
  name: 'convert',
  help: 'turn manifests of the first API (apiVersion: v1) into resources of today; nothing is stored',
  options: [
    ...FILE_OPTIONS,
    { flags: '-o, --output <format>', help: 'yaml (default) or json' },
    { flags: '--ignore-validation', help: 'print what breaks rules of today too' },
  ],
  examples: [
    ['convert -f old.yaml > new.yaml', 'resources of today from a manifest of the first API'],
    ['convert -f old.yaml -o json', 'the same as JSON'],
  ],
  usesDatastore: false,
  async handler(call, context) {
    const { convertManifests } = await import('../manifests/convert-manifests.js');
    return convertManifests(call, context);
  },
};

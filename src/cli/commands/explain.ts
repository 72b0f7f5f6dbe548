import type { Command } from '../command.js';

export const explain: Command = {
  name: 'explain',
  help: 'explain a kind of resource or a field of it: value, default, meaning',
  arguments: ['<kind.field>'],
  options: [{ flags: '--recursive', help: 'with all fields below, and theirs' }],
  examples: [
    ['explain ippool', 'what an IPPool is, and what may stand in it'],
    ['explain networkpolicy.spec.ingress.source', 'who may be named as a source'],
    ['explain felixconfiguration.bpfEnabled', 'one field; spec may be left out'],
  ],
  usesDatastore: false,
  async handler(call) {
    const { explain: explainKind } = await import('../read/explain.js');
    return explainKind(call);
  },
};

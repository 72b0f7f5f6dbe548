import { type Command, DRY_RUN_OPTION } from '../command.js';
import { ENDPOINT, usageOf } from '../first-era/families.js';

export const endpoint: Command = {
  name: ENDPOINT.name,
  help: ENDPOINT.help,
  arguments: ['[words...]'],
  usage: usageOf(ENDPOINT),
  options: [...ENDPOINT.options, DRY_RUN_OPTION],
  examples: [
    ['endpoint show --detailed', 'every endpoint with addresses and profiles'],
    ['endpoint 5f1c profile set web db', 'exactly these two profiles'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const [{ performForm }, { endpointHandlers }] = await Promise.all([
      import('../first-era/perform.js'),
      import('../first-era/endpoints.js'),
    ]);
    return performForm(ENDPOINT, endpointHandlers, call, context);
  },
};

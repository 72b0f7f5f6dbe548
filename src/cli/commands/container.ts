import { type Command, DRY_RUN_OPTION } from '../command.js';
import { CONTAINER, usageOf } from '../first-era/families.js';

export const container: Command = {
  name: CONTAINER.name,
  help: CONTAINER.help,
  arguments: ['[words...]'],
  usage: usageOf(CONTAINER),
  options: [...CONTAINER.options, DRY_RUN_OPTION],
  examples: [
    ['container add web 192.168.1.7', 'connect a running container'],
    ['container web ip add fd80:24e2:f998:72d6::1:7', 'give it one more address'],
    ['container web profile append web', 'and one more profile'],
    ['container remove web', 'take all of it away'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const [{ performForm }, { containerHandlers }] = await Promise.all([
      import('../first-era/perform.js'),
      import('../first-era/containers.js'),
    ]);
    return performForm(CONTAINER, containerHandlers, call, context);
  },
};

import { type Command, DRY_RUN_OPTION } from '../command.js';
import { MATCH_DETAILS, PROFILE, usageOf } from '../first-era/families.js';

export const profile: Command = {
  name: PROFILE.name,
  help: PROFILE.help,
  arguments: ['[words...]'],
  usage: usageOf(PROFILE),
  details: MATCH_DETAILS,
  options: [...PROFILE.options, DRY_RUN_OPTION],
  examples: [
    ['profile add web', 'a profile whose endpoints talk to each other'],
    ['profile web rule add inbound allow tcp from tag front to ports 80,443 --at=1', 'a rule before the others'],
    ['profile web rule show', 'what its rules are'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const [{ performForm }, { profileHandlers }] = await Promise.all([
      import('../first-era/perform.js'),
      import('../first-era/profiles.js'),
    ]);
    return performForm(PROFILE, profileHandlers, call, context);
  },
};

import { ConflictError, NotFoundError } from '../../base/errors.js';
import { Ipam } from '../../ipam/ipam.js';
import { formatAddress, tryParseAddress } from '../../net/address.js';
import { type Call, type Context, flag } from '../command.js';
import { line, type Result } from '../result.js';

/** ipam release IP */
export async function releaseAddress(typed: string, call: Call, context: Context): Promise<Result> {
  const parsed = tryParseAddress(typed);
  if (parsed === undefined) return { errors: [`Invalid IP address specified: ${typed}`] };
  const ipam = new Ipam((await context.connect()).datastore);
  const address = formatAddress(parsed);
  try {
    // Whoever got it since it was looked at here keeps it.
    const { sequence } = await ipam.attributes(address);
    await ipam.releaseIps([{ address, ...(sequence === undefined ? {} : { sequence }) }]);
    return {
      output: [line(flag(call, 'dryRun') ? 'Would have released the address' : 'Address successfully released')],
    };
  } catch (error) {
    if (!(error instanceof NotFoundError) && !(error instanceof ConflictError)) throw error;
    return { errors: [`Failed to release address\n  ${error.message}`] };
  }
}

/** ipam info IP */
export async function showAddress(typed: string, context: Context): Promise<Result> {
  const parsed = tryParseAddress(typed);
  if (parsed === undefined) return { errors: [`Invalid IP address specified: ${typed}`] };
  const address = formatAddress(parsed);
  const ipam = new Ipam((await context.connectToRead()).datastore);
  try {
    const attributes = Object.entries((await ipam.attributes(address)).attributes);
    if (attributes.length === 0) return { output: [line(`No attributes defined for ${address}`)] };
    const rows = attributes.map(([name, value]) => line(`  ${name}: ${value}`));
    return { output: [line(`Attributes defined for ${address}`), ...rows] };
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return { output: [line(`IP ${address} is not currently assigned`)] };
  }
}

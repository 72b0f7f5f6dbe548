/** Of all these programs; equals the one in package.json. */
export const VERSION = 'v0.1.0';

/** The folder of everything that is installed. */
export const deployFolder = import.meta.dirname

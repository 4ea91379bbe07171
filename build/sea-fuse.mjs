/** Marks the place in Node that says whether a blob was injected; fixed by Node. */
export const SEA_FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * Flips the mark, in place: from then on Node looks for the blob.
 * @param {Buffer} file
 */
export function flipFuse(file) {
  const unset = Buffer.from(`${SEA_FUSE}:0`);
  const offset = file.indexOf(unset);
  if (offset < 0 || file.indexOf(unset, offset + 1) >= 0) {
    throw new Error('The base does not hold the mark for a blob exactly once.');
  }
  file.write('1', offset + unset.length - 1, 'latin1');
}

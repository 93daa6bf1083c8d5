/** What the page of the self-test shows of a sample: nothing, for arrays show nothing at a glance. */

export const columns = [];

/** Return a cell for each column. */
export function cellsOf() {
  return [];
}

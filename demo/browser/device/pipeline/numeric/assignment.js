// The assignment problem: which pairs cost least in total (Hungarian method, by shortest augmenting paths).

/**
 * Assigns each row to a column of its own or, if there are fewer columns, each column to a row.
 *
 * @param {number[][]} costs - for each row, the cost of each column; finite
 * @returns {[number, number][]} pairs of a row and a column, with the least sum of costs
 */
export function leastCost(costs) {
  const [rows, columns] = [costs.length, costs[0]?.length ?? 0];
  if (rows > columns) {
    const turned = Array.from({length: columns}, (_, column) => costs.map((row) => row[column]));
    return leastCost(turned).map(([column, row]) => [row, column]);
  }
  const solution = {rowOf: Array(columns).fill(-1), ofRows: Array(rows).fill(0), ofColumns: Array(columns).fill(0)};
  for (let row = 0; row < rows; row++) augment(costs, row, solution);
  return solution.rowOf.flatMap((row, column) => (row < 0 ? [] : [/** @type {[number, number]} */ ([row, column])]));
}

/**
 * Gives a row a column, if need be by moving other rows to other columns, along the path on which costs, less the
 * potentials (`ofRows`, `ofColumns`), rise least.
 *
 * @param {number[][]} costs
 * @param {number} newRow
 * @param {{rowOf: number[], ofRows: number[], ofColumns: number[]}} solution - for the rows before; changed in place
 */
function augment(costs, newRow, {rowOf, ofRows, ofColumns}) {
  const distances = rowOf.map(() => Infinity);
  const previous = rowOf.map(() => -1); // the column before each one on the path; -1: the path begins there
  const [done, reached] = [new Set(), new Set([newRow])];
  let [row, column, distance] = [newRow, -1, 0];
  while (row >= 0) {
    for (let next = 0; next < rowOf.length; next++) {
      const length = distance + costs[row][next] - ofRows[row] - ofColumns[next];
      if (!done.has(next) && length < distances[next]) [distances[next], previous[next]] = [length, column];
    }
    column = -1;
    distances.forEach((length, next) => {
      if (!done.has(next) && (column < 0 || length < distances[column])) column = next;
    });
    distance = distances[column];
    done.add(column);
    row = rowOf[column];
    reached.add(row);
  }
  ofRows[newRow] += distance;
  for (const passed of done) {
    ofColumns[passed] -= distance - distances[passed];
    if (rowOf[passed] >= 0) ofRows[rowOf[passed]] += distance - distances[passed];
  }
  for (; column >= 0; column = previous[column]) {
    rowOf[column] = previous[column] < 0 ? newRow : rowOf[previous[column]];
  }
}

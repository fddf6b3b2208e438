// What the vendors are: asked of the server once.

import { get } from "./api.js";

let known = null;
let swaps = 0;

// Why changed files are not served ("" if they are); after a swap of contracts they are asked for anew.
export async function refused() {
  const { watch } = await get("health");
  if (watch && watch.swaps !== swaps) {
    swaps = watch.swaps;
    forget();
  }
  return watch?.error ?? "";
}

export function contracts() {
  known ??= get("contracts").then(({ contracts: found }) => found, (error) => { known = null; throw error; });
  return known;
}

export const forget = () => { known = null; }; // the server may be another one after a restart

// The answers of an operation: {name, id, status, …}; none of a callback.
export async function answersOf(id) {
  for (const contract of await contracts()) {
    const operation = contract.operations.find((one) => one.id === id);
    if (operation) return operation.answers.map((answer) => ({ ...answer, name: answer.id.split("/")[1] }));
  }
  return [];
}

// The operations of a contract, each once, not in its further spellings.
export const operationsOf = (contract) => contract.operations.filter((one) => one.id === `${contract.vendor}.${one.spelling}`);

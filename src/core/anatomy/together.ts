/** Small reads that wait for each other take most of the time of opening a model of a thousand layers. */
const most = 64;

/** The answers for all items in order, some dozen asked at a time. */
export async function together<Item, Answer>(
  items: readonly Item[],
  ask: (item: Item, index: number) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let start = 0; start < items.length; start += most) {
    const some = items.slice(start, start + most);
    for (const answer of await Promise.all(some.map((item, at) => ask(item, start + at)))) answers.push(answer);
  }
  return answers;
}

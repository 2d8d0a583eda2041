/** Lets requests go on until they wait. The local database answers without a turn of the event loop. */
export async function untilWaiting(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Declares a test of the contract, named by the sentence that must hold. */
export type DeclareTest = (
  sentence: string,
  test: () => Promise<void>,
) => void;

/** Protobuf's own limit in C++, Java and Python; nothing real is nested deeper. */
export const deepestNesting = 100;

/**
 * What a graph may take in memory while it is read. The engine is held under 1 GiB, and JavaScript needs about as much again for what
 * it has not collected yet. A BERT takes 3 MB; 450 MiB are about 1.2 million nodes.
 */
export const largestGraph = 450 * 1024 * 1024;

/** Longer than this a text is no name, and numbers are no shape: their bytes stay in the file. */
export const longestText = 1024 * 1024;

/** Estimated bytes in memory, measured on graphs of a million nodes. */
export const cost = { message: 250, field: 40, run: 100, text: 24, step: 4 };

/** An external file is kept open, and systems allow some thousand. */
export const mostExternalFiles = 1000;

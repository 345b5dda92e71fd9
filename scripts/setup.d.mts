export const root: string;
export function run(command: string, args: readonly string[], options?: object): void;
export function installDependencies(): void;
export function continueInProjectNode(script: string): boolean;
/** Path of the browser, or undefined. */
export function findChromium(): string | undefined;

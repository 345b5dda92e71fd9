/**
 * What a pass trusted in (PassContext.trusting) turned out otherwise while the file was written. Nothing of it is kept: the whole run is
 * planned again, with a look at all numbers first.
 */
export class PlanAgain extends Error {}

import type { Calibration } from '../calibration/calibration.ts';
import { fail, sentence } from '../errors.ts';
import type { Edit, PassContext } from './pass.ts';

/** The model on the calibration text. throws 'usage' where there is none: `method` is what needs it */
export async function calibrationOf({ calibration, model }: PassContext, method: string): Promise<Calibration<Edit>> {
  if (calibration) return calibration();
  throw fail(
    'usage',
    '{method} looks at activations, and there is no text to run the model on.',
    { method },
    {
      file: model.name,
      hint: sentence('Give a text file, one sentence a line: --calibration FILE. A few hundred sentences do.'),
    },
  );
}

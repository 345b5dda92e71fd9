import type { Anatomy } from '../../../anatomy/anatomy.ts';
import type { PassContext, Plan } from '../../pass.ts';
import type { QuantizeOptions } from '../scheme.ts';
export async function planGptq(_anatomy: Anatomy, plain: Plan, _options: QuantizeOptions, _context: PassContext): Promise<Plan> {
  return plain;
}

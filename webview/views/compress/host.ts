import type { CompressEvents, CompressHostApi } from '../../../src/protocol/messages.ts';
import { connectHost } from '../../bridge.ts';

/** The extension host, as the form sees it. */
export const host = connectHost<CompressHostApi, CompressEvents>();

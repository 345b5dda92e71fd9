import './style/headroom.css';
import './style/diff.css';
import './style/measure.css';
import { render } from 'preact';
import { DiffPage } from './views/diff/page.tsx';

render(<DiffPage />, document.getElementById('root')!);

import './style/headroom.css';
import './style/attention.css';
import { render } from 'preact';
import { AttentionPage } from './views/attention/page.tsx';

render(<AttentionPage />, document.getElementById('root')!);

import './style/headroom.css';
import './style/compress.css';
import './style/sensitivity.css';
import { render } from 'preact';
import { CompressPage } from './views/compress/page.tsx';

render(<CompressPage />, document.getElementById('root')!);

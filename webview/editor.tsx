import './style/headroom.css';
import { render } from 'preact';
import { Editor } from './views/editor/editor.tsx';

render(<Editor />, document.getElementById('root')!);

import './style/headroom.css';
import './style/redundancy.css';
import { render } from 'preact';
import { RedundancyPage } from './views/redundancy/page.tsx';

render(<RedundancyPage />, document.getElementById('root')!);

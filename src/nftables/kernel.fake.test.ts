import { FakeNftables } from './kernel.fake.js';
import { describeNftables } from './nftables.contract.js';

describeNftables('the fake', () => ({ nftables: new FakeNftables(), close: () => undefined }));

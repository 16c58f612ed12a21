import { expect, test } from 'vitest'
import { dashboardUrl, urlOf } from '../../node/commands/service/urls.ts'

test('where the API listens, as URLs', () => {
  expect(['/ip4/127.0.0.1/tcp/9094', '/ip6/::1/tcp/9094', '/dns4/host.example/tcp/80/http', '/unix/tmp/x'].map((address) => urlOf(address))).toEqual(['http://127.0.0.1:9094', 'http://[::1]:9094', 'http://host.example:80', 'unix:/tmp/x'])
  expect(urlOf('/ip4/10.0.0.1/tcp/443', true)).toBe('https://10.0.0.1:443')
})

test('the dashboard is opened where a browser on this machine finds it', () => {
  expect(dashboardUrl(['/unix/tmp/x', '/ip4/0.0.0.0/tcp/9094'], false)).toBe('http://127.0.0.1:9094/webui/')
  expect(dashboardUrl(['/ip6/::/tcp/9094'], true)).toBe('https://[::1]:9094/webui/')
  expect(dashboardUrl(['/unix/tmp/x'], false)).toBeUndefined()
})

// npm's change feed, for real: a CouchDB-shaped database in memory, `registry`, on loopback.
// Usage: node changes.mjs PORT. Prints "changes ready" when it listens.
// A second database, `registry-2` and so on, is a feed that was begun anew.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const express = require('express')
const PouchDB = require('pouchdb-core').plugin(require('pouchdb-adapter-memory'))
const couch = require('express-pouchdb')

const app = express()
app.use(couch(PouchDB.defaults({ adapter: 'memory' }), { mode: 'minimumForPouchDB', inMemoryConfig: true }))
app.listen(Number(process.argv[2]), '127.0.0.1', () => console.log('changes ready'))

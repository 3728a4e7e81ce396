/**
 * Runs on each member of the laboratory, apart from what is tested, and survives its faults: whoever connects to any
 * address of the box is told the box's name. Argument: name, port.
 */
import { createServer } from 'node:net'

const [name = '', port = '0'] = process.argv.slice(2)
createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy())
  socket.end(name)
}).listen({ port: Number(port), host: '0.0.0.0', backlog: 512 }, () => process.send?.('listening'))
process.on('disconnect', () => process.exit())

// SPDX-License-Identifier: GPL-2.0-only OR MIT
// ort_time.js MODEL INPUT RUNS: loads MODEL in ONNX Runtime with one thread and INPUT (.npy), which it
// makes up and writes if it is not there, and prints a line. Then it answers every line with the
// milliseconds of the fastest of RUNS runs.
'use strict';
const fs = require('fs');
const readline = require('readline');
const ort = require('onnxruntime-node');

const arrays = { float32: Float32Array, uint8: Uint8Array, int8: Int8Array };
const codes = { '<f4': 'float32', '|u1': 'uint8', '|i1': 'int8' };

function load(path)
{
	const bytes = fs.readFileSync(path);
	const start = 10 + bytes.readUInt16LE(8);
	const head = bytes.toString('latin1', 10, start);
	const type = codes[/'descr': *'([^']*)'/.exec(head)[1]];
	const dims = /'shape': *\(([^)]*)\)/.exec(head)[1].split(',').filter(s => s.trim()).map(Number);
	const data = bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length);

	return new ort.Tensor(type, new arrays[type](data), dims);
}

function makeUp(path, dims)
{
	const count = dims.reduce((a, b) => a * b, 1);
	const data = new Float32Array(count);
	let head = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')},), }`;
	const start = Buffer.alloc(10);

	for (let i = 0, x = 1; i < count; i++, x = (x * 75) % 65537)
		data[i] = x / 65537;
	head = head.padEnd((Math.ceil((head.length + 11) / 64) * 64) - 11) + '\n';
	start.write('\x93NUMPY\x01\x00', 'latin1');
	start.writeUInt16LE(head.length, 8);
	fs.writeFileSync(path, Buffer.concat([start, Buffer.from(head, 'latin1'), Buffer.from(data.buffer)]));
}

async function main([model, input, runs])
{
	const session = await ort.InferenceSession.create(model, {
		executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1,
		executionMode: 'sequential', graphOptimizationLevel: 'all',
	});
	const name = session.inputNames[0];

	if (!fs.existsSync(input)) {
		const shape = session.inputMetadata[0].shape;

		makeUp(input, shape.map(d => typeof d === 'number' && d > 0 ? d : 1));
	}
	const feeds = { [name]: load(input) };

	await session.run(feeds);
	console.log('ready');
	for await (const line of readline.createInterface({ input: process.stdin })) {
		let best = Infinity;

		for (let i = 0; i < runs; i++) {
			const start = process.hrtime.bigint();

			await session.run(feeds);
			best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e6);
		}
		console.log(best.toFixed(3) + line);
	}
}

main(process.argv.slice(2)).catch(e => {
	console.error(String(e.message || e).split('\n')[0]);
	process.exit(1);
});

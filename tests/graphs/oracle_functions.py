# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The functions of compiler/functions.def, and operators on single elements, for oracle.py: from
their definitions in the ONNX operator reference, computed in double precision or in whole numbers
and rounded once."""
import itertools
import math

NAN = math.nan


def tables(o):
    """{name: function} of tensors as @o, the module oracle, has them."""
    Tensor, indices = o.Tensor, o.indices

    def f32s(shape, data):
        return o.f32s(tuple(shape), [o.to_f32(float(v)) for v in data])

    def like(x, shape, data):
        return f32s(shape, data) if x.dtype == 'f32' else Tensor(x.dtype, tuple(shape), list(data))

    def build(x, shape, point):
        """The tensor of @shape whose element at each index is point(index), of the type of @x."""
        return like(x, shape, [point(i) for i in indices(tuple(shape))])

    def unary(f):
        return lambda attrs, x: like(x, x.shape, [f(v) for v in x.data])

    def with_attrs(f):
        return lambda attrs, x: like(x, x.shape, [f(attrs, v) for v in x.data])

    def spread(*tensors):
        shape = tensors[0].shape
        for t in tensors[1:]:
            shape = o.broadcast(shape, t.shape)
        return shape, [t.stretched(shape).data for t in tensors]

    def many(f, dtype=None):
        """f(a, b, ...) of elements that broadcast."""
        def run(attrs, *tensors):
            shape, data = spread(*tensors)
            out = [f(*v) for v in zip(*data)]
            return Tensor(dtype, shape, [int(v) for v in out]) if dtype else \
                like(tensors[-1], shape, out)
        return run

    def number(attrs, name, usual):
        return attrs.get(name, usual)

    def positive(axis, rank):
        return axis + rank if axis < 0 else axis

    # ---- Elements ---------------------------------------------------------------------------------

    def elu(alpha, by, x):
        return x if x >= 0 else alpha * math.expm1(x / by)

    def softplus(x):
        return math.log1p(math.exp(x))

    def gelu(attrs, x):
        if attrs.get('approximate') == 'tanh':
            return x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))
        return x / 2 * (1 + math.erf(x / math.sqrt(2)))

    def shrink(attrs, x):
        bias, lambd = number(attrs, 'bias', 0), number(attrs, 'lambd', 0.5)
        return x + bias if x < -lambd else x - bias if x > lambd else 0.0

    def power(dtype, x, y):
        if dtype == 'f32' or y >= 0:
            return x ** y
        return x ** -y if abs(x) == 1 else 0

    def modulo(attrs, a, b):
        shape, data = spread(a, b)
        fmod = attrs.get('fmod')
        return like(a, shape, [math.fmod(x, y) if fmod else x % y for x, y in zip(*data)])

    def shift(attrs, a, b):
        left = attrs['direction'] == 'LEFT'
        shape, data = spread(a, b)
        return like(a, shape, [x << y & 255 if left else x >> y for x, y in zip(*data)])

    def is_inf(attrs, x):
        return Tensor('bool', x.shape, [
            int(math.isinf(v) and bool(attrs.get('detect_positive' if v > 0 else 'detect_negative',
                                                 1))) for v in x.data])

    elements = {
        'Neg': unary(lambda x: -x), 'Abs': unary(abs),
        'Sign': unary(lambda x: (x > 0) - (x < 0)), 'Exp': unary(math.exp),
        'Log': unary(math.log), 'Sqrt': unary(math.sqrt), 'Reciprocal': unary(lambda x: 1 / x),
        'Floor': unary(math.floor), 'Ceil': unary(math.ceil), 'Round': unary(round),
        'Sin': unary(math.sin), 'Cos': unary(math.cos), 'Atan': unary(math.atan),
        'Erf': unary(math.erf), 'Not': unary(lambda x: 1 - x), 'BitwiseNot': unary(lambda x: ~x),
        'IsNaN': lambda attrs, x: Tensor('bool', x.shape, [int(v != v) for v in x.data]),
        'IsInf': is_inf, 'Maximum': many(max), 'Minimum': many(min), 'Mod': modulo,
        'Pow': lambda attrs, a, b: like(a, *(lambda s, d: (s, [power(a.dtype, x, y) for x, y in zip(*d)]))
                                        (*spread(a, b))),
        'Equal': many(lambda a, b: a == b, 'bool'), 'Less': many(lambda a, b: a < b, 'bool'),
        'LessOrEqual': many(lambda a, b: a <= b, 'bool'),
        'Greater': many(lambda a, b: a > b, 'bool'),
        'GreaterOrEqual': many(lambda a, b: a >= b, 'bool'),
        'And': many(lambda a, b: a & b, 'bool'), 'Or': many(lambda a, b: a | b, 'bool'),
        'Xor': many(lambda a, b: a ^ b, 'bool'), 'BitwiseAnd': many(lambda a, b: a & b),
        'BitwiseOr': many(lambda a, b: a | b), 'BitwiseXor': many(lambda a, b: a ^ b),
        'BitShift': shift, 'Where': many(lambda c, a, b: a if c else b),
        'Max': many(lambda *v: max(v)), 'Min': many(lambda *v: min(v)),
        'Sum': many(lambda *v: math.fsum(v)), 'Mean': many(lambda *v: math.fsum(v) / len(v)),
        'Acos': unary(math.acos), 'Acosh': unary(math.acosh), 'Asin': unary(math.asin),
        'Asinh': unary(math.asinh), 'Atanh': unary(math.atanh), 'Cosh': unary(math.cosh),
        'Sinh': unary(math.sinh), 'Tan': unary(math.tan), 'Softplus': unary(softplus),
        'Softsign': unary(lambda x: x / (1 + abs(x))),
        'Mish': unary(lambda x: x * math.tanh(softplus(x))),
        'HardSwish': unary(lambda x: x * max(0, min(1, x / 6 + 0.5))),
        'Celu': with_attrs(lambda a, x: elu(number(a, 'alpha', 1), number(a, 'alpha', 1), x)),
        'Elu': with_attrs(lambda a, x: elu(number(a, 'alpha', 1), 1, x)),
        'Selu': with_attrs(lambda a, x: number(a, 'gamma', 1.05070102214813232421875)
                           * elu(number(a, 'alpha', 1.67326319217681884765625), 1, x)),
        'LeakyRelu': with_attrs(lambda a, x: x if x >= 0 else o.to_f32(number(a, 'alpha', 0.01)) * x),
        'PRelu': lambda attrs, x, slope: many(lambda s, v: v if v >= 0 else s * v)(
            attrs, slope, x),
        'ThresholdedRelu': with_attrs(lambda a, x: x if x > number(a, 'alpha', 1) else 0.0),
        'HardSigmoid': with_attrs(lambda a, x: max(0, min(1, o.to_f32(number(a, 'alpha', 0.2)) * x
                                                          + number(a, 'beta', 0.5)))),
        'Gelu': with_attrs(gelu), 'Shrink': with_attrs(shrink),
        'Swish': with_attrs(lambda a, x: x / (1 + math.exp(-number(a, 'alpha', 1) * x))),
    }

    # ---- Moves --------------------------------------------------------------------------------------

    def part(x, first, step, shape):
        return build(x, shape, lambda i: x[tuple(f + s * k for f, s, k in zip(first, step, i))])

    def whole(t):
        return [int(v) for v in t.data]

    def tile(attrs, x, repeats):
        shape = [n * r for n, r in zip(x.shape, whole(repeats))]
        return build(x, shape, lambda i: x[tuple(k % n for k, n in zip(i, x.shape))])

    def slice_of(attrs, x, starts, ends, axes=None, steps=None):
        axes = whole(axes) if axes else list(range(len(starts.data)))
        steps = whole(steps) if steps else [1] * len(axes)
        taken = [range(n) for n in x.shape]
        for start, end, axis, step in zip(whole(starts), whole(ends), axes, steps):
            axis = positive(axis, len(x.shape))
            taken[axis] = range(x.shape[axis])[start:end:step]
        return build(x, [len(r) for r in taken], lambda i: x[tuple(r[k] for r, k in zip(taken, i))])

    def split(attrs, x, sizes):
        axis, at, out = positive(attrs.get('axis', 0), len(x.shape)), 0, []
        for size in whole(sizes):
            first = [at if d == axis else 0 for d in range(len(x.shape))]
            shape = [size if d == axis else n for d, n in enumerate(x.shape)]
            out.append(part(x, first, [1] * len(shape), shape))
            at += size
        return tuple(out)

    def pad(attrs, x, pads, fill=None):
        rank, pads, mode = len(x.shape), whole(pads), attrs.get('mode', 'constant')
        shape = [n + pads[d] + pads[rank + d] for d, n in enumerate(x.shape)]

        def repeated(k, n):
            if mode == 'edge':
                return max(0, min(n - 1, k))
            if mode == 'wrap':
                return k % n
            k = abs(k) % (2 * n - 2) if n > 1 else 0
            return k if k < n else 2 * n - 2 - k

        def inside(k, d):
            """Of what negative pads leave."""
            first, last = max(0, -pads[d]), x.shape[d] + min(0, pads[rank + d])
            return first + repeated(k - first, last - first)

        def point(i):
            at = tuple(k - pads[d] for d, k in enumerate(i))
            if mode == 'constant' and not all(0 <= k < n for k, n in zip(at, x.shape)):
                return fill.data[0] if fill else 0
            return x[tuple(k if mode == 'constant' else inside(k, d) for d, k in enumerate(at))]
        return build(x, shape, point)

    def depth_to_space(attrs, x):
        n, c, h, w = x.shape
        b, rows_first = attrs['blocksize'], attrs.get('mode', 'DCR') == 'DCR'
        deep = c // (b * b)

        def point(i):
            cell = i[2] % b * b + i[3] % b
            channel = cell * deep + i[1] if rows_first else i[1] * b * b + cell
            return x[i[0], channel, i[2] // b, i[3] // b]
        return build(x, (n, deep, h * b, w * b), point)

    def space_to_depth(attrs, x):
        n, c, h, w = x.shape
        b = attrs['blocksize']
        return build(x, (n, c * b * b, h // b, w // b), lambda i: x[
            i[0], i[1] % c, i[2] * b + i[1] // c // b, i[3] * b + i[1] // c % b])

    def gather(attrs, x, index):
        axis, r = positive(attrs.get('axis', 0), len(x.shape)), len(index.shape)
        shape = x.shape[:axis] + index.shape + x.shape[axis + 1:]
        return build(x, shape, lambda i: x[i[:axis] + (
            index[i[axis:axis + r]] % x.shape[axis],) + i[axis + r:]])

    def gather_elements(attrs, x, index):
        axis = positive(attrs.get('axis', 0), len(x.shape))
        return build(x, index.shape, lambda i: x[
            i[:axis] + (index[i] % x.shape[axis],) + i[axis + 1:]])

    def gather_nd(attrs, x, index):
        b, depth = attrs.get('batch_dims', 0), index.shape[-1]
        shape = index.shape[:-1] + x.shape[b + depth:]
        r = len(index.shape) - 1
        return build(x, shape, lambda i: x[i[:b] + tuple(
            index[i[:r] + (k,)] % x.shape[b + k] for k in range(depth)) + i[r:]])

    def joined(attrs, old, new):
        how = attrs.get('reduction', 'none')
        return new if how == 'none' else old + new if how == 'add' else old * new \
            if how == 'mul' else max(old, new) if how == 'max' else min(old, new)

    def scatter(attrs, x, places):
        """@places: pairs of an index and what is written there, in order."""
        data = {i: x[i] for i in indices(x.shape)}
        for at, v in places:
            data[at] = joined(attrs, data[at], v)
        return build(x, x.shape, lambda i: data[i])

    def scatter_elements(attrs, x, index, updates):
        axis = positive(attrs.get('axis', 0), len(x.shape))
        return scatter(attrs, x, [(i[:axis] + (index[i] % x.shape[axis],) + i[axis + 1:],
                                   updates[i]) for i in indices(index.shape)])

    def scatter_nd(attrs, x, index, updates):
        depth, r = index.shape[-1], len(index.shape) - 1
        return scatter(attrs, x, [(tuple(index[i[:r] + (k,)] % x.shape[k] for k in range(depth))
                                   + i[r:], updates[i]) for i in indices(updates.shape)])

    def trilu(attrs, x, k=None):
        k, upper = k.data[0] if k else 0, attrs.get('upper', 1)
        return build(x, x.shape, lambda i: x[i] if (
            i[-1] - i[-2] >= k if upper else i[-1] - i[-2] <= k) else 0)

    def reverse_sequence(attrs, x, lengths):
        batch, time = attrs.get('batch_axis', 1), attrs.get('time_axis', 0)

        def at(i):
            n, k = lengths.data[i[batch]], i[time]
            return x[tuple(n - 1 - k if d == time and k < n else j for d, j in enumerate(i))]
        return build(x, x.shape, at)

    def one_hot(attrs, index, depth, values):
        n, rank = depth.data[0], len(index.shape) + 1
        axis = positive(attrs.get('axis', -1), rank)
        shape = index.shape[:axis] + (n,) + index.shape[axis:]
        return build(values, shape, lambda i: values.data[
            index[i[:axis] + i[axis + 1:]] in (i[axis], i[axis] - n)])

    def center(attrs, x, sizes):
        axes = [positive(a, len(x.shape)) for a in attrs.get('axes', range(len(x.shape)))]
        shape, first = list(x.shape), [0] * len(x.shape)
        for axis, size in zip(axes, whole(sizes)):
            more = size - x.shape[axis]
            first[axis] = -(more // 2) if more > 0 else -more // 2
            shape[axis] = size
        return build(x, shape, lambda i: (lambda at: x[at] if all(
            0 <= k < n for k, n in zip(at, x.shape)) else 0)(
                tuple(k + f for k, f in zip(i, first))))

    def compress(attrs, x, keep):
        if 'axis' not in attrs:
            x = Tensor(x.dtype, (len(x.data),), x.data)
        axis = positive(attrs.get('axis', 0), len(x.shape))
        kept = [k for k, v in enumerate(keep.data) if v]
        shape = [len(kept) if d == axis else n for d, n in enumerate(x.shape)]
        return build(x, shape, lambda i: x[i[:axis] + (kept[i[axis]],) + i[axis + 1:]])

    def squeeze(attrs, x, axes=None):
        gone = [positive(a, len(x.shape)) for a in whole(axes)] if axes else \
            [d for d, n in enumerate(x.shape) if n == 1]
        return like(x, [n for d, n in enumerate(x.shape) if d not in gone], x.data)

    def unsqueeze(attrs, x, axes):
        rank, shape = len(x.shape) + len(axes.data), list(x.shape)
        for axis in sorted(positive(a, rank) for a in whole(axes)):
            shape.insert(axis, 1)
        return like(x, shape, x.data)

    def tensor_scatter(attrs, x, update, at=None):
        axis = positive(attrs.get('axis', -2), len(x.shape))
        places = []
        for i in indices(update.shape):
            k = i[axis] + (at.data[i[0]] if at else 0)
            k = k % x.shape[axis] if attrs.get('mode') == 'circular' else k
            places.append((i[:axis] + (k,) + i[axis + 1:], update[i]))
        return scatter({}, x, places)

    def unpool(attrs, x, index):
        shape = list(x.shape)
        for d, (k, s) in enumerate(zip(attrs['kernel'], attrs['strides'])):
            shape[2 + d] = (shape[2 + d] - 1) * s + k
        data = [0.0] * math.prod(shape)
        for at, v in zip(index.data, x.data):
            data[at] = v
        return like(x, shape, data)

    moves = {
        'Expand': lambda attrs, x, to: x.stretched(o.broadcast(x.shape, tuple(whole(to)))),
        'Tile': tile, 'Slice': slice_of, 'Split': split, 'Pad': pad,
        'DepthToSpace': depth_to_space, 'SpaceToDepth': space_to_depth, 'Gather': gather,
        'GatherElements': gather_elements, 'GatherND': gather_nd,
        'ScatterElements': scatter_elements, 'Scatter': scatter_elements,
        'ScatterND': scatter_nd, 'Trilu': trilu,
        'ReverseSequence': reverse_sequence, 'OneHot': one_hot, 'CenterCropPad': center,
        'Compress': compress, 'Squeeze': squeeze, 'Unsqueeze': unsqueeze,
        'TensorScatter': tensor_scatter, 'MaxUnpool': unpool,
        'OptionalGetElement': lambda attrs, x: x,
        'Part': lambda attrs, x: part(x, attrs['starts'], attrs['steps'], attrs['shape']),
        'Stretch': lambda attrs, x: x.stretched(tuple(attrs['shape'])),
        'Take': lambda attrs, x, index: gather(attrs, x, index),
        'Border': lambda attrs, x, fill: build(x, attrs['shape'], lambda i: (
            lambda at: x[at] if all(0 <= k < n for k, n in zip(at, x.shape)) else fill.data[0])(
                tuple(k - s for k, s in zip(i, attrs['starts'])))),
    }

    # ---- Along axes -----------------------------------------------------------------------------------

    def groups(x, axes):
        """The shape with @axes of 1, and for each of its indices the elements that it stands for."""
        shape = tuple(1 if d in axes else n for d, n in enumerate(x.shape))
        inner = [range(n) if d in axes else (None,) for d, n in enumerate(x.shape)]
        return shape, [[x[tuple(k if k is not None else j for k, j in zip(c, i))]
                        for c in itertools.product(*inner)] for i in indices(shape)]

    def axes_of(attrs, x, axes):
        given = whole(axes) if axes else attrs.get('axes', [])
        return [positive(a, len(x.shape)) for a in given] or list(range(len(x.shape)))

    def reduce(f):
        def run(attrs, x, axes=None):
            axes = axes_of(attrs, x, axes)
            shape, values = groups(x, axes)
            if not attrs.get('keepdims', 1):
                shape = [n for d, n in enumerate(shape) if d not in axes]
            return like(x, shape, [f(v) for v in values])
        return run

    def total(values):
        return math.fsum(values) if isinstance(values[0], float) else sum(values)

    def over(f):
        return lambda attrs, x: like(x, *(lambda s, v: (s, [f(e) for e in v]))(
            *groups(x, attrs['axes'])))

    def arg(best):
        def run(attrs, x):
            axis = positive(attrs.get('axis', 0), len(x.shape))
            shape, values = groups(x, [axis])
            out = []
            for v in values:
                at = [k for k, e in enumerate(v) if e == best(v)]
                out.append(at[-1] if attrs.get('select_last_index') else at[0])
            if not attrs.get('keepdims', 1):
                shape = [n for d, n in enumerate(shape) if d != axis]
            return Tensor('s64', tuple(shape), out)
        return run

    def hardmax(attrs, x):
        axis = positive(attrs.get('axis', -1), len(x.shape))

        def point(i):
            row = [x[i[:axis] + (k,) + i[axis + 1:]] for k in range(x.shape[axis])]
            return float(row.index(max(row)) == i[axis])
        return build(x, x.shape, point)

    def top(attrs, x, k):
        axis, sign = positive(attrs.get('axis', -1), len(x.shape)), \
            -1 if attrs.get('largest', 1) else 1
        shape = [k.data[0] if d == axis else n for d, n in enumerate(x.shape)]

        def order(i):
            row = [x[i[:axis] + (j,) + i[axis + 1:]] for j in range(x.shape[axis])]
            return sorted(range(len(row)), key=lambda j: (sign * row[j], j))[i[axis]]
        places = {i: order(i) for i in indices(tuple(shape))}
        return (build(x, shape, lambda i: x[i[:axis] + (places[i],) + i[axis + 1:]]),
                Tensor('s64', tuple(shape), [places[i] for i in indices(tuple(shape))]))

    def cumulate(f):
        def run(attrs, x, at):
            axis = positive(at.data[0], len(x.shape))

            def point(i):
                places = range(i[axis], x.shape[axis]) if attrs.get('reverse') else \
                    range(i[axis] + 1)
                return f([x[i[:axis] + (k,) + i[axis + 1:]] for k in places
                          if k != i[axis] or not attrs.get('exclusive')])
            return build(x, x.shape, point)
        return run

    along = {
        'ReduceSum': reduce(total), 'ReduceMean': reduce(lambda v: total(v) / len(v)),
        'ReduceMax': reduce(max), 'ReduceMin': reduce(min), 'ReduceProd': reduce(math.prod),
        'ReduceL1': reduce(lambda v: total([abs(e) for e in v])),
        'ReduceL2': reduce(lambda v: math.sqrt(total([e * e for e in v]))),
        'ReduceLogSum': reduce(lambda v: math.log(total(v))),
        'ReduceLogSumExp': reduce(lambda v: math.log(total([math.exp(e) for e in v]))),
        'ReduceSumSquare': reduce(lambda v: total([e * e for e in v])),
        'SumOver': over(total), 'MaxOver': over(max), 'MinOver': over(min),
        'ProdOver': over(math.prod), 'ArgMax': arg(max), 'ArgMin': arg(min), 'Hardmax': hardmax,
        'TopK': top, 'CumSum': cumulate(lambda v: math.fsum(v)), 'CumProd': cumulate(math.prod),
    }

    # ---- Normalisation ----------------------------------------------------------------------------------

    def normalise(x, axes, epsilon, centred=True):
        """(x - mean) / deviation, along @axes."""
        shape, values = groups(x, axes)
        out = {}
        for i, v in zip(indices(shape), values):
            mean = math.fsum(v) / len(v) if centred else 0
            square = math.fsum((e - mean) ** 2 for e in v) / len(v)
            out[i] = mean, math.sqrt(square + epsilon)
        at = {i: out[tuple(0 if d in axes else k for d, k in enumerate(i))]
              for i in indices(x.shape)}
        return lambda i: (x[i] - at[i][0]) / at[i][1]

    def trailing(centred):
        def run(attrs, x, scale, bias=None):
            first = positive(attrs.get('axis', -1), len(x.shape))
            y = normalise(x, range(first, len(x.shape)), number(attrs, 'epsilon', 1e-5), centred)
            s = scale.stretched(x.shape)
            b = bias.stretched(x.shape) if bias else None
            return build(x, x.shape, lambda i: y(i) * s[i] + (b[i] if b else 0))
        return run

    def group_norm(attrs, x, scale, bias):
        n, c = x.shape[:2]
        g = attrs.get('num_groups', c)
        split_up = Tensor(x.dtype, (n, g, len(x.data) // (n * g)), x.data)
        y = normalise(split_up, [2], number(attrs, 'epsilon', 1e-5))
        flat = [y(i) for i in indices(split_up.shape)]
        inner = len(x.data) // (n * c)
        return like(x, x.shape, [v * scale.data[k // inner % c] + bias.data[k // inner % c]
                                 for k, v in enumerate(flat)])

    def mvn(attrs, x):
        y = normalise(x, attrs.get('axes', [0, 2, 3]), 1e-9)
        return build(x, x.shape, y)

    def lp_norm(attrs, x):
        axis, p = positive(attrs.get('axis', -1), len(x.shape)), attrs.get('p', 2)

        def point(i):
            row = [abs(x[i[:axis] + (k,) + i[axis + 1:]]) ** p for k in range(x.shape[axis])]
            norm = math.fsum(row) ** (1 / p)
            return x[i] / norm if norm else 0.0
        return build(x, x.shape, point)

    def lrn(attrs, x):
        size, c = attrs['size'], x.shape[1]

        def point(i):
            first, last = i[1] - (size - 1) // 2, i[1] + (size - 1 - (size - 1) // 2)
            square = math.fsum(x[(i[0], k) + i[2:]] ** 2
                               for k in range(max(0, first), min(c - 1, last) + 1))
            return x[i] / (number(attrs, 'bias', 1) + number(attrs, 'alpha', 1e-4) / size * square) \
                ** number(attrs, 'beta', 0.75)
        return build(x, x.shape, point)

    def losses(log_softmax):
        def run(attrs, x, target, weights=None):
            logs = x
            if log_softmax:
                def log_of(i):
                    row = [x[(i[0], k) + i[2:]] for k in range(x.shape[1])]
                    return x[i] - math.log(math.fsum(math.exp(v) for v in row))
                logs = {i: log_of(i) for i in indices(x.shape)}
            loss, weight = [], []
            for i in indices(target.shape):
                c = target[i]
                off = c == attrs.get('ignore_index')
                w = 0.0 if off else weights.data[c] if weights else 1.0
                loss.append(0.0 if off else -w * logs[(i[0], c) + i[1:]])
                weight.append(w)
            how = attrs.get('reduction', 'mean')
            if how == 'none':
                return f32s(target.shape, loss)
            return f32s((), [math.fsum(loss) / (math.fsum(weight) if how == 'mean' else 1)])
        return run

    norms = {
        'LayerNormalization': trailing(True), 'RMSNormalization': trailing(False),
        'GroupNormalization': group_norm, 'InstanceNormalization': group_norm,
        'MeanVarianceNormalization': mvn, 'LpNormalization': lp_norm, 'LRN': lrn,
        'NegativeLogLikelihoodLoss': losses(False), 'SoftmaxCrossEntropyLoss': losses(True),
        'GlobalMaxPool': lambda attrs, x: reduce(lambda v: max([e for e in v if e == e] + [-o.LARGEST]))(
            {'axes': list(range(2, len(x.shape)))}, x),
        'GlobalLpPool': lambda attrs, x: reduce(lambda v: math.fsum(
            abs(e) ** attrs.get('p', 2) for e in v) ** (1 / attrs.get('p', 2)))(
                {'axes': list(range(2, len(x.shape)))}, x),
        'LpPool': o.pool(lambda values, count: o.to_f32(math.sqrt(math.fsum(
            v * v for v in values)))),
    }

    # ---- Products ---------------------------------------------------------------------------------------

    def conv_transpose(attrs, x, w, bias=None):
        n, c, h, width = x.shape
        group, (sy, sx), pads = attrs.get('group', 1), attrs.get('strides', (1, 1)), \
            attrs.get('pads', (0, 0, 0, 0))
        each, (ky, kx) = w.shape[1], w.shape[2:]
        shape = (n, each * group, (h - 1) * sy + ky - pads[0] - pads[2],
                 (width - 1) * sx + kx - pads[1] - pads[3])
        sums = {i: [bias.data[i[1]]] if bias else [] for i in indices(shape)}
        for i in indices(x.shape):
            g = i[1] // (c // group)
            for m, y, z in itertools.product(range(each), range(ky), range(kx)):
                at = (i[0], g * each + m, i[2] * sy + y - pads[0], i[3] * sx + z - pads[1])
                if at in sums:
                    sums[at].append(x[i] * w[i[1], m, y, z])
        return build(x, shape, lambda i: math.fsum(sums[i]))

    def einsum(attrs, *tensors):
        terms, arrow, to = attrs['equation'].partition('->')
        to = to if arrow else ''.join(sorted(l for l in set(terms) - {','} if terms.count(l) == 1))
        terms = terms.split(',')
        size = {l: n for t, x in zip(terms, tensors) for l, n in zip(t, x.shape)}
        inner = [l for l in size if l not in to]

        def point(i):
            at = dict(zip(to, i))
            sums = []
            for k in itertools.product(*(range(size[l]) for l in inner)):
                at.update(zip(inner, k))
                sums.append(math.prod(x[tuple(at[l] for l in t)] for t, x in zip(terms, tensors)))
            return math.fsum(sums)
        return build(tensors[0], [size[l] for l in to], point)

    def det(attrs, x):
        n = x.shape[-1]

        def one(m):
            return m[0][0] if len(m) == 1 else math.fsum(
                (-1) ** k * m[0][k] * one([r[:k] + r[k + 1:] for r in m[1:]])
                for k in range(len(m)))
        return build(x, x.shape[:-2], lambda i: one(
            [[x[i + (r, c)] for c in range(n)] for r in range(n)]))

    def recurrence(gates, step):
        """One direction after the other; step(attrs, x, h, c) of products gives h and c."""
        def run(attrs, x, w, r, b=None, lens=None, h0=None, c0=None, p=None):
            steps, batch, inputs = x.shape
            dirs, size = w.shape[0], r.shape[2]
            y = {}
            for d, n in itertools.product(range(dirs), range(batch)):
                h = [h0[d, n, k] if h0 else 0.0 for k in range(size)]
                c = [c0[d, n, k] if c0 else 0.0 for k in range(size)]
                back = attrs.get('direction') == 'reverse' or d == 1
                length = lens.data[n] if lens else steps
                for t in range(steps):
                    for k in range(size):
                        y[t, d, n, k] = 0.0
                for t in (reversed(range(length)) if back else range(length)):
                    of_x = [math.fsum(w[d, g, k] * x[t, n, k] for k in range(inputs))
                            + (b[d, g] if b else 0) for g in range(gates * size)]
                    of_h = [lambda v, g=g: math.fsum(r[d, g, k] * v[k] for k in range(size))
                            + 0.0 for g in range(gates * size)]
                    bias = [b[d, gates * size + g] if b else 0.0 for g in range(gates * size)]
                    peep = [p[d, k] if p else 0.0 for k in range(3 * size)]
                    h, c = step(attrs, size, of_x, of_h, bias, h, c, peep)
                    for k in range(size):
                        y[t, d, n, k] = h[k]
            return build(x, (steps, dirs, batch, size), lambda i: y[i])
        return run

    def logistic(x):
        return 1 / (1 + math.exp(-x))

    def rnn(attrs, size, of_x, of_h, bias, h, c, peep):
        return [math.tanh(of_x[k] + of_h[k](h) + bias[k]) for k in range(size)], c

    def gru(attrs, size, of_x, of_h, bias, h, c, peep):
        z = [logistic(of_x[k] + of_h[k](h) + bias[k]) for k in range(size)]
        r = [logistic(of_x[size + k] + of_h[size + k](h) + bias[size + k]) for k in range(size)]
        reset = [a * b for a, b in zip(r, h)]
        out = []
        for k in range(size):
            g = 2 * size + k
            inner = r[k] * (of_h[g](h) + bias[g]) if attrs.get('linear_before_reset') else \
                of_h[g](reset) + bias[g]
            out.append((1 - z[k]) * math.tanh(of_x[g] + inner) + z[k] * h[k])
        return out, c

    def lstm(attrs, size, of_x, of_h, bias, h, c, peep):
        def gate(n, k):
            g = n * size + k
            return of_x[g] + of_h[g](h) + bias[g]
        i = [logistic(gate(0, k) + peep[k] * c[k]) for k in range(size)]
        f = [logistic(gate(2, k) + peep[2 * size + k] * c[k]) for k in range(size)]
        new = [f[k] * c[k] + i[k] * math.tanh(gate(3, k)) for k in range(size)]
        o_gate = [logistic(gate(1, k) + peep[size + k] * new[k]) for k in range(size)]
        return [o_gate[k] * math.tanh(new[k]) for k in range(size)], new

    def attention(attrs, q, k, v):
        scale = 1 / math.sqrt(q.shape[3])

        def point(i):
            b, h, row, column = i
            g = h * k.shape[1] // q.shape[1]
            scores = [scale * math.fsum(q[b, h, row, d] * k[b, g, j, d] for d in range(q.shape[3]))
                      for j in range(k.shape[2]) if not attrs.get('is_causal') or j <= row]
            powers = [math.exp(s - max(scores)) for s in scores]
            return math.fsum(p * v[b, g, j, column] for j, p in enumerate(powers)) \
                / math.fsum(powers)
        return build(q, q.shape[:3] + v.shape[3:], point)

    def grid_sample(attrs, x, grid):
        """Of images of two dimensions, linear or nearest, zeros around."""
        n, c, h, w = x.shape

        def at(v, size):
            return (v + 1) / 2 * (size - 1) if attrs.get('align_corners') else \
                ((v + 1) * size - 1) / 2

        def pixel(b, m, row, column):
            return x[b, m, row, column] if 0 <= row < h and 0 <= column < w else 0.0

        def point(i):
            b, m = i[:2]
            column, row = at(grid[b, i[2], i[3], 0], w), at(grid[b, i[2], i[3], 1], h)
            if attrs.get('mode') == 'nearest':
                return pixel(b, m, round(row), round(column))
            y, z = math.floor(row), math.floor(column)
            return math.fsum(pixel(b, m, y + dy, z + dz) * abs(1 - dy - (row - y))
                             * abs(1 - dz - (column - z)) for dy in (0, 1) for dz in (0, 1))
        return build(x, (n, c) + grid.shape[1:3], point)

    def affine_grid(attrs, theta, size):
        n, _, h, w = whole(size)

        def place(k, count):
            return 2 * k / (count - 1) - 1 if attrs.get('align_corners') else (2 * k + 1) / count - 1

        def point(i):
            at = (place(i[2], w), place(i[1], h), 1)
            return math.fsum(theta[i[0], i[3], k] * at[k] for k in range(3))
        return build(theta, (n, h, w, 2), point)

    products = {
        'ConvTranspose': conv_transpose, 'Einsum': einsum, 'Det': det,
        'RNN': recurrence(1, rnn), 'GRU': recurrence(3, gru), 'LSTM': recurrence(4, lstm),
        'Attention': attention, 'GridSample': grid_sample, 'AffineGrid': affine_grid,
    }
    return {**elements, **moves, **along, **norms, **products}

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The operators worked out once more, independently of compiler/eval.c: exactly, in rational
numbers (activations: decimal numbers of 120 digits), each result rounded to f32 once. Functions are
those of oracle_functions.py.

    oracle.py --write FILE...   puts types and results of the outputs into the files, as lines
                                "#: type %ID TYPE" and "#: expect %ID VALUE ..."
    oracle.py --check           TAP: every file beside this one holds the results that it should

Written from the ONNX operator reference and, where that is open, docs/reference/semantics.md.
Outputs of more than EXPECT_MAX elements are left out, and graphs with inputs or constants of more
than VALUE_MAX or with operators that are not worked out here.
The form of the files: tests/graph_case.h and compiler/graph_text.h.
"""
import glob
import itertools
import math
import os
import re
import sys
from decimal import Context, Decimal, setcontext
from fractions import Fraction

import oracle_functions

EXPECT_MAX = 100
VALUE_MAX = 1500
setcontext(Context(prec=120, Emin=-999999, Emax=999999))


# ---- Numbers: an f32 is a Python float whose value an f32 can have ------------------------------

def to_f32(x):
    """Rounds a Fraction, Decimal or float to nearest even."""
    if isinstance(x, float) and (math.isnan(x) or math.isinf(x) or x == 0):
        return x
    x = Fraction(x)
    if x == 0:
        return 0.0
    exponent = max(math.frexp(float(x))[1] - 24 if abs(x) < 2**1000 else 1000, -149)
    unit = Fraction(2) ** exponent
    whole = round(x / unit)  # ties to even
    if abs(whole) * unit >= Fraction(2) ** 128:
        return math.copysign(math.inf, whole)
    return math.ldexp(whole, exponent)


def special(*values):
    return any(math.isnan(v) or math.isinf(v) for v in values)


def add(a, b):
    return a + b if special(a, b) or a == b == 0 else to_f32(Fraction(a) + Fraction(b))


def multiply(a, b):
    return a * b if special(a, b) or a * b == 0 == min(abs(a), abs(b)) else \
        to_f32(Fraction(a) * Fraction(b))


def divide(a, b):
    if special(a, b) or b == 0:
        if math.isnan(a) or math.isnan(b) or (math.isinf(a) and math.isinf(b)) or a == b == 0:
            return math.nan
        sign = math.copysign(1, a) * math.copysign(1, b)
        return math.copysign(0.0 if math.isinf(b) else math.inf, sign)
    return to_f32(Fraction(a) / Fraction(b))


def exact_sum(terms):
    """A sum of products [(a, b), ...]: exact, or what IEEE-754 makes of NaN and infinity."""
    terms = list(terms)
    if any(special(a, b) for a, b in terms):
        return sum(a * b for a, b in terms)
    return sum((Fraction(a) * Fraction(b) for a, b in terms), Fraction(0))


def exp(x):
    if math.isinf(x):
        return Decimal(0) if x < 0 else None
    return Decimal(x).exp() if x > -100000 else Decimal(0)


def sigmoid(x):
    if math.isnan(x):
        return x
    if x > 1000:
        return 1.0
    if x < -1000:
        return 0.0
    return to_f32(1 / (1 + Decimal(-x).exp()))


def tanh(x):
    if math.isnan(x) or x == 0:
        return x
    if abs(x) > 1000:
        return math.copysign(1.0, x)
    e = (2 * Decimal(x)).exp()
    return to_f32((e - 1) / (e + 1))


def clamp(x, low, high):
    if math.isnan(x):
        return x
    return min(max(x, low), high)


LARGEST = float(2**128 - 2**104)


# ---- Tensors ------------------------------------------------------------------------------------

class Tensor:
    def __init__(self, dtype, shape, data):
        self.dtype, self.shape, self.data = dtype, tuple(shape), list(data)
        assert len(self.data) == math.prod(self.shape), (self.shape, len(self.data))

    def __getitem__(self, index):
        at = 0
        for i, n in zip(index, self.shape):
            at = at * n + i
        return self.data[at]

    def stretched(self, shape):
        """Seen with a shape to which it broadcasts."""
        own = (1,) * (len(shape) - len(self.shape)) + self.shape
        wide = Tensor(self.dtype, own, self.data)
        return Tensor(self.dtype, shape, (wide[tuple(0 if n == 1 else i for i, n in zip(index, own))]
                                          for index in indices(shape)))


def indices(shape):
    return itertools.product(*(range(n) for n in shape))


def broadcast(a, b):
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b)
    return tuple(y if x == 1 else x for x, y in pairs)


def f32s(shape, data):
    return Tensor('f32', shape, data)


def elementwise(function):
    return lambda attrs, x: f32s(x.shape, map(function, x.data))


def binary(function):
    def run(attrs, a, b):
        shape = broadcast(a.shape, b.shape)
        data = map(function, a.stretched(shape).data, b.stretched(shape).data)
        if 'lo' in attrs or 'hi' in attrs:
            data = (clamp(y, attrs.get('lo', -math.inf), attrs.get('hi', math.inf)) for y in data)
        return f32s(shape, data)
    return run


# ---- Windows ------------------------------------------------------------------------------------

class Axis:
    """One spatial dimension of a window: where output o looks, and what is padding."""

    def __init__(self, size, kernel, stride, dilation, begin, end, attrs):
        self.size, self.kernel, self.stride, self.dilation = size, kernel, stride, dilation
        extent = (kernel - 1) * dilation + 1
        how = attrs.get('auto_pad', 'NOTSET')
        if how.startswith('SAME'):
            self.out = -(-size // stride)
            total = max((self.out - 1) * stride + extent - size, 0)
            begin = total // 2 if how == 'SAME_UPPER' else total - total // 2
            end = total - begin
        else:
            if how == 'VALID':
                begin = end = 0
            room = size + begin + end - extent
            self.out = room // stride + 1
            if how == 'NOTSET' and attrs.get('ceil_mode') and room % stride \
                    and self.out * stride < size + begin:
                self.out += 1
        self.begin, self.end = begin, end

    def cells(self, o):
        """(cell of the kernel, cell of the input) where the window is inside the input."""
        places = ((k, o * self.stride - self.begin + k * self.dilation) for k in range(self.kernel))
        return [(k, at) for k, at in places if 0 <= at < self.size]

    def counted(self, o, with_padding):
        low, high = (-self.begin, self.size + self.end) if with_padding else (0, self.size)
        places = (o * self.stride - self.begin + k * self.dilation for k in range(self.kernel))
        return sum(low <= at < high for at in places)


def axes_of(attrs, x, kernel):
    n = len(x.shape) - 2
    strides, dilations = attrs.get('strides', [1] * n), attrs.get('dilations', [1] * n)
    pads = attrs.get('pads', [0] * 2 * n)
    return [Axis(x.shape[2 + i], kernel[i], strides[i], dilations[i], pads[i], pads[n + i], attrs)
            for i in range(n)]


def conv(attrs, x, w, bias=None):
    groups = attrs.get('group', 1)
    axes = axes_of(attrs, x, w.shape[2:])
    per_group, channels = w.shape[0] // groups, w.shape[1]
    shape = (x.shape[0], w.shape[0]) + tuple(a.out for a in axes)

    def point(index):
        image, m = index[:2]
        first = m // per_group * channels
        cells = list(itertools.product(*(a.cells(o) for a, o in zip(axes, index[2:]))))
        terms = [(x[(image, first + c) + tuple(at for _, at in cell)],
                  w[(m, c) + tuple(k for k, _ in cell)]) for c in range(channels) for cell in cells]
        if bias:
            terms.append((bias.data[m], 1.0))
        return to_f32(exact_sum(terms))
    return f32s(shape, map(point, indices(shape)))


def pool(join):
    def run(attrs, x):
        axes = axes_of(attrs, x, attrs['kernel'])
        shape = x.shape[:2] + tuple(a.out for a in axes)

        def point(index):
            cells = itertools.product(*(a.cells(o) for a, o in zip(axes, index[2:])))
            values = [x[index[:2] + tuple(at for _, at in cell)] for cell in cells]
            count = math.prod(a.counted(o, attrs.get('count_include_pad'))
                              for a, o in zip(axes, index[2:]))
            return join(values, count)
        return f32s(shape, map(point, indices(shape)))
    return run


def max_pool(attrs, x):
    least = RANGE[x.dtype][0] if x.dtype in RANGE else -LARGEST
    y = pool(lambda values, count: max([least] + [v for v in values if v == v]))(attrs, x)
    return Tensor(x.dtype, y.shape, y.data)


def mean(values, count):
    total = exact_sum((v, 1.0) for v in values)
    return total if isinstance(total, float) else to_f32(total / count)


def global_average(attrs, x):
    cells = math.prod(x.shape[2:])
    shape = x.shape[:2] + (1,) * (len(x.shape) - 2)
    return f32s(shape, (mean(x.data[i * cells:(i + 1) * cells], cells)
                        for i in range(math.prod(shape))))


# ---- Products, rows, channels -------------------------------------------------------------------

def matrices(a, b, point):
    """NumPy's matmul: its shape, and point(row, column, number of the column) of each element."""
    left = a if len(a.shape) > 1 else Tensor(a.dtype, (1,) + a.shape, a.data)
    right = b if len(b.shape) > 1 else Tensor(b.dtype, b.shape + (1,), b.data)
    stack = broadcast(left.shape[:-2], right.shape[:-2])
    left = left.stretched(stack + left.shape[-2:])
    right = right.stretched(stack + right.shape[-2:])
    shape, inner = stack + (left.shape[-2], right.shape[-1]), range(left.shape[-1])
    data = [point([left[i[:-1] + (k,)] for k in inner],
                  [right[i[:-2] + (k, i[-1])] for k in inner], i[-1]) for i in indices(shape)]
    return stack + ((shape[-2],) if len(a.shape) > 1 else ()) + \
        ((shape[-1],) if len(b.shape) > 1 else ()), data


def matmul(attrs, a, b):
    return f32s(*matrices(a, b, lambda row, column, n: to_f32(exact_sum(zip(row, column)))))


def gemm(attrs, a, b, c=None):
    alpha, beta = Fraction(attrs.get('alpha', 1.0)), Fraction(attrs.get('beta', 1.0))
    c = c if beta else None
    ta, tb = attrs.get('trans_a'), attrs.get('trans_b')
    shape = (a.shape[1 if ta else 0], b.shape[0 if tb else 1])
    inner = a.shape[0 if ta else 1]
    c = c.stretched(shape) if c else f32s(shape, [0.0] * math.prod(shape))
    return f32s(shape, (to_f32(
        alpha * exact_sum((a[(k, i) if ta else (i, k)], b[(j, k) if tb else (k, j)])
                          for k in range(inner)) + beta * Fraction(c[(i, j)]))
        for i, j in indices(shape)))


def softmax(log):
    def row(values):
        if any(math.isnan(v) for v in values):
            return [math.nan] * len(values)
        top = max(values)
        shifted = [-math.inf if v == -math.inf else Fraction(v) - Fraction(top) for v in values]
        powers = [exp(s) if isinstance(s, float) else exp_of(s) for s in shifted]
        total = sum(powers)
        if log:
            return [s if isinstance(s, float) else to_f32(decimal_of(s) - total.ln())
                    for s in shifted]
        return [to_f32(p / total) for p in powers]

    def run(attrs, x):
        rank, old = len(x.shape), attrs['opset'] < 13
        axis = attrs.get('axis', 1 if old else -1) % rank
        # the indices of one row: those that agree in everything except the axis (or axes)
        rows = {}
        for i in indices(x.shape):
            key = i[:axis] if attrs.get('flat', old) else i[:axis] + i[axis + 1:]
            rows.setdefault(key, []).append(i)
        result = {}
        for row_indices in rows.values():
            result.update(zip(row_indices, row([x[i] for i in row_indices])))
        return f32s(x.shape, (result[i] for i in indices(x.shape)))
    return run


def decimal_of(fraction):
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


def exp_of(fraction):
    return decimal_of(fraction).exp() if fraction > -100000 else Decimal(0)


def batchnorm(attrs, x, scale, bias, mean_of, variance):
    epsilon = Decimal(attrs.get('epsilon', to_f32(Fraction(1, 100000))))
    slope = [Decimal(s) / (Decimal(v) + epsilon).sqrt() for s, v in zip(scale.data, variance.data)]
    return f32s(x.shape, (to_f32((Decimal(v) - Decimal(mean_of.data[i[1]])) * slope[i[1]] +
                                 Decimal(bias.data[i[1]]))
                          for i, v in zip(indices(x.shape), x.data)))


# ---- What only moves elements -------------------------------------------------------------------

def flatten(attrs, x):
    axis = attrs.get('axis', 1)
    axis += len(x.shape) if axis < 0 else 0
    return Tensor(x.dtype, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])), x.data)


def reshape(attrs, x, to):
    shape = [x.shape[i] if n == 0 and not attrs.get('allowzero') else n
             for i, n in enumerate(to.data)]
    if -1 in shape:
        shape[shape.index(-1)] = len(x.data) // -math.prod(shape)
    return Tensor(x.dtype, shape, x.data)


def transpose(attrs, x):
    perm = attrs.get('perm', list(reversed(range(len(x.shape)))))
    shape = tuple(x.shape[p] for p in perm)

    def source(index):
        return tuple(index[perm.index(d)] for d in range(len(perm)))
    return Tensor(x.dtype, shape, (x[source(i)] for i in indices(shape)))


def concat(attrs, *parts):
    axis = attrs['axis'] % len(parts[0].shape)
    shape = list(parts[0].shape)
    shape[axis] = sum(p.shape[axis] for p in parts)

    def pick(index):
        at = index[axis]
        for p in parts:
            if at < p.shape[axis]:
                return p[index[:axis] + (at,) + index[axis + 1:]]
            at -= p.shape[axis]
    return Tensor(parts[0].dtype, shape, map(pick, indices(shape)))


def clip(attrs, x, low=None, high=None):
    bounds = (low.data[0] if low else attrs.get('lo', -LARGEST),
              high.data[0] if high else attrs.get('hi', LARGEST))
    return Tensor(x.dtype, x.shape, [clamp(v, *bounds) for v in x.data])


def dropout(attrs, x, *unused):
    return x, Tensor('bool', x.shape, [1] * len(x.data))


# ---- Quantised: integers are exact, and each operation on f32 rounds once ------------------------

RANGE = {'u8': (0, 255), 's8': (-128, 127), 's32': (-2**31, 2**31 - 1)}


def saturate(dtype, x):
    return min(max(x, RANGE[dtype][0]), RANGE[dtype][1])


def wrapped(x):
    return (x + 2**31) % 2**32 - 2**31


def nearest(x):
    """An s32 from an f32: half to even, saturated."""
    if math.isnan(x):
        return 0
    return RANGE['s32'][x > 0] if math.isinf(x) else saturate('s32', round(Fraction(x)))


def parameter(tensor, channel=0, default=0):
    """Of a channel: the only element, or that of the channel."""
    if tensor is None:
        return default
    return tensor.data[channel if len(tensor.data) > 1 else 0]


def channels(attrs, x):
    """The index along axis of every element."""
    axis = attrs.get('axis', 1)
    return [i[axis] if -len(x.shape) <= axis < len(x.shape) else 0 for i in indices(x.shape)]


def quantize(attrs, x, scale, zero=None):
    dtype = zero.dtype if zero else 'u8'

    def one(v, c):
        z = parameter(zero, c)
        q = divide(v, parameter(scale, c))
        return RANGE[dtype][0] if math.isnan(q) else saturate(dtype, nearest(q) + z)
    return Tensor(dtype, x.shape, map(one, x.data, channels(attrs, x)))


def dequantize(attrs, x, scale, zero=None):
    return f32s(x.shape, (multiply(to_f32(wrapped(v - parameter(zero, c))), parameter(scale, c))
                          for v, c in zip(x.data, channels(attrs, x))))


def conv_integer(attrs, x, w, x_zero=None, w_zero=None):
    groups = attrs.get('group', 1)
    axes = axes_of(attrs, x, w.shape[2:])
    per_group, deep = w.shape[0] // groups, w.shape[1]
    shape = (x.shape[0], w.shape[0]) + tuple(a.out for a in axes)

    def point(index):
        image, m = index[:2]
        cells = list(itertools.product(*(a.cells(o) for a, o in zip(axes, index[2:]))))
        return wrapped(sum(
            (x[(image, m // per_group * deep + c) + tuple(at for _, at in cell)] - parameter(x_zero))
            * (w[(m, c) + tuple(k for k, _ in cell)] - parameter(w_zero, m))
            for c in range(deep) for cell in cells))
    return Tensor('s32', shape, map(point, indices(shape)))


def matmul_integer(attrs, a, b, a_zero=None, b_zero=None):
    return Tensor('s32', *matrices(a, b, lambda row, column, n: wrapped(
        sum((x - parameter(a_zero)) * (y - parameter(b_zero, n)) for x, y in zip(row, column)))))


def srdhm(a, b):
    if a == b == -2**31:
        return 2**31 - 1
    product = a * b
    nudged = product + (2**30 if product >= 0 else 1 - 2**30)
    return nudged // 2**31 if nudged >= 0 else -(-nudged // 2**31)


def requantize(attrs, x, multiplier, zero, bias=None, shift=None):
    low, high = RANGE[zero.dtype]

    def one(v, c):
        v, m = wrapped(v + parameter(bias, c)), parameter(multiplier, c)
        s = min(max(parameter(shift, c), -31), 31)
        if multiplier.dtype == 'f32':
            y = nearest(multiply(to_f32(v), m))
        else:
            y = srdhm(wrapped(v << max(s, 0)), m)
            half = 2**-s // 2 if s < 0 else 0
            y = (abs(y) + half) // 2**max(-s, 0) * (1 if y >= 0 else -1)
        y += zero.data[0]
        bounds = (clamp(attrs.get(k, d), low, high) for k, d in (('lo', low), ('hi', high)))
        return int(clamp(y, *bounds))
    return Tensor(zero.dtype, x.shape, map(one, x.data, channels(attrs, x)))


def multipliers(scales, of):
    a, b = scales
    return f32s(b.shape, (divide(multiply(a.data[0], v), of.data[0]) for v in b.data))


def qlinear_conv(attrs, x, xs, xz, w, ws, wz, ys, yz, bias=None):
    return requantize({}, conv_integer(attrs, x, w, xz, wz), multipliers((xs, ws), ys), yz, bias)


def qlinear_matmul(attrs, a, a_s, az, b, bs, bz, ys, yz):
    return requantize({'axis': -1}, matmul_integer(attrs, a, b, az, bz),
                      multipliers((a_s, bs), ys), yz)


def qlinear_average(attrs, x, xs, xz, ys, yz):
    cells = math.prod(x.shape[2:])
    shape = x.shape[:2] + (1,) * (len(x.shape) - 2)
    sums = (sum(x.data[i * cells:(i + 1) * cells]) - cells * xz.data[0]
            for i in range(math.prod(shape)))
    scale = divide(xs.data[0], multiply(ys.data[0], float(cells)))
    return requantize({}, Tensor('s32', shape, sums), f32s((), [scale]), yz)


def qlinear_add(attrs, a, a_s, az, b, bs, bz, ys, yz=None):
    by_a, by_b = divide(a_s.data[0], ys.data[0]), divide(bs.data[0], ys.data[0])
    zeros = to_f32(Fraction(by_a) * parameter(az) + Fraction(multiply(by_b, float(parameter(bz)))))
    rest = add(float(parameter(yz)), -zeros)
    shape = broadcast(a.shape, b.shape)

    def one(x, y):
        inner = to_f32(Fraction(y) * Fraction(by_b) + Fraction(rest))
        sum = nearest(to_f32(Fraction(x) * Fraction(by_a) + Fraction(inner)))
        return int(clamp(saturate(a.dtype, sum), attrs.get('lo', -128), attrs.get('hi', 255)))
    return Tensor(a.dtype, shape, map(one, a.stretched(shape).data, b.stretched(shape).data))


def qlinear_mul(attrs, a, a_s, az, b, bs, bz, ys, yz=None):
    shape = broadcast(a.shape, b.shape)
    products = ((x - parameter(az)) * (y - parameter(bz))
                for x, y in zip(a.stretched(shape).data, b.stretched(shape).data))
    by = multipliers((a_s, bs), ys).data[0]
    return Tensor(a.dtype, shape, (
        saturate(a.dtype, nearest(add(multiply(to_f32(v), by), to_f32(parameter(yz)))))
        for v in products))


def dynamic_quantize(attrs, x):
    least, most = min(0.0, *x.data), max(0.0, *x.data)
    scale = divide(add(most, -least), 255.0) if most > least else 1.0
    zero = min(nearest(divide(-least, scale)), 255)
    return (Tensor('u8', x.shape, (saturate('u8', nearest(divide(v, scale)) + zero)
                                   for v in x.data)),
            f32s((), [scale]), Tensor('u8', (), [zero]))


def qlinear_concat(attrs, ys, yz, *parts):
    triples = [parts[i:i + 3] for i in range(0, len(parts), 3)]
    return concat(attrs, *(quantize({}, dequantize({}, *part), ys, yz) for part in triples))


def qlinear_float(function):
    return lambda attrs, x, xs, xz, ys, yz=None: \
        quantize({}, function(attrs, dequantize({}, x, xs, xz)), ys, yz)


def qgemm(attrs, a, a_s, az, b, bs, bz, c, ys, yz):
    b = transpose({}, b) if attrs.get('trans_b') else b
    a = transpose({}, a) if attrs.get('trans_a') else a
    return requantize({'axis': -1}, matmul_integer({}, a, b, az, bz),
                      multipliers((a_s, bs), ys), yz, c)


def table(attrs, x, entries):
    return Tensor(entries.dtype, x.shape, (entries.data[v % 256] for v in x.data))


def halves_away(x, bits):
    """x / 2^bits, rounded to nearest, half away from zero."""
    y = (abs(x) + 2**bits // 2) // 2**bits
    return y if x >= 0 else -y


def saturated(x):
    return min(max(x, -2**31), 2**31 - 1)


def fixed_add(attrs, a, b, parameters):
    """TensorFlow Lite's Add: both times 2^20 to their common scale, the sum to that of the result."""
    p = parameters.data
    low, high = RANGE[a.dtype]
    low, high = (clamp(attrs.get(k, d), low, high) for k, d in (('lo', low), ('hi', high)))

    def scaled(x, multiplier, shift):
        return halves_away(srdhm(x, multiplier), -shift)

    def one(x, y):
        x = scaled(wrapped((x - p[0]) * 2**20), p[1], p[2])
        y = scaled(wrapped((y - p[3]) * 2**20), p[4], p[5])
        return int(clamp(scaled(wrapped(x + y), p[6], p[7]) + p[8], low, high))
    shape = broadcast(a.shape, b.shape)
    return Tensor(a.dtype, shape, map(one, a.stretched(shape).data, b.stretched(shape).data))


def gemmlowp_exp(a):
    """e^a: a <= 0 has 26 bits behind the point, the result 31."""
    quarter = 2**24
    part = a % quarter - quarter
    x = part * 32 + 2**28
    square = srdhm(x, x)
    rest = srdhm(halves_away(srdhm(square, square), 2) + srdhm(square, x), 715827883)
    y = 1895147668 + srdhm(1895147668, x + halves_away(rest + square, 1))
    powers = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
    for k, power in enumerate(powers):  # e^-(2^(k - 2)), where that is a part of -a
        if (part - a) // quarter >> k & 1:
            y = srdhm(y, power)
    return y if a else 2**31 - 1


def gemmlowp_reciprocal(a):
    """1 / (1 + a), both with 31 bits behind the point."""
    half = (a + 2**31) // 2
    x = 1515870810 + srdhm(half, -1010580540)
    for _ in range(3):
        x += saturated(srdhm(x, 2**29 - srdhm(half, x)) * 4)
    return saturated(x * 2)


def fixed_softmax(attrs, x, parameters):
    multiplier, shift, least = parameters.data
    low, high = RANGE[x.dtype]
    n, data = x.shape[-1], []
    for i in range(0, len(x.data), n):
        row = [v - max(x.data[i:i + n]) for v in x.data[i:i + n]]
        powers = [gemmlowp_exp(srdhm(v << shift, multiplier)) if v >= least else 0 for v in row]
        total = sum(halves_away(e, 12) for e in powers)
        bits = 32 - total.bit_length()
        by = gemmlowp_reciprocal((total << bits) - 2**31)
        data += (min(halves_away(srdhm(by, e), 35 - bits) + low, high) for e in powers)
    return Tensor(x.dtype, x.shape, data)


OPERATORS = {
    'Add': binary(add), 'Sub': binary(lambda a, b: add(a, -b)), 'Mul': binary(multiply),
    'Div': binary(divide), 'Relu': elementwise(lambda x: clamp(x, 0.0, math.inf)), 'Clip': clip,
    'Sigmoid': elementwise(sigmoid), 'Tanh': elementwise(tanh), 'Conv': conv,
    'MaxPool': max_pool,
    'AveragePool': pool(lambda values, count: mean(values, max(count, 1))),
    'GlobalAveragePool': global_average, 'MatMul': matmul, 'Gemm': gemm,
    'BatchNormalization': batchnorm, 'Softmax': softmax(False), 'LogSoftmax': softmax(True),
    'Flatten': flatten, 'Reshape': reshape, 'Transpose': transpose, 'Concat': concat,
    'Identity': lambda attrs, x: x, 'Dropout': dropout,
    'View': lambda attrs, x: Tensor(x.dtype, attrs['shape'], x.data),
    'QuantizeLinear': quantize, 'DequantizeLinear': dequantize, 'ConvInteger': conv_integer,
    'MatMulInteger': matmul_integer, 'Requantize': requantize, 'Table': table,
    'QLinearConv': qlinear_conv, 'QLinearMatMul': qlinear_matmul, 'QLinearAdd': qlinear_add,
    'QLinearMul': qlinear_mul, 'DynamicQuantizeLinear': dynamic_quantize,
    'FixedAdd': fixed_add, 'FixedSoftmax': fixed_softmax,
    'QLinearGlobalAveragePool': qlinear_average, 'QLinearConcat': qlinear_concat, 'QGemm': qgemm,
    'QLinearSigmoid': qlinear_float(elementwise(sigmoid)),
    'QLinearAveragePool': qlinear_float(pool(lambda values, count: mean(values, max(count, 1)))),
}


FUNCTIONS = oracle_functions.tables(sys.modules[__name__])
HERE = os.path.dirname(os.path.abspath(__file__))


# ---- The files ----------------------------------------------------------------------------------

def sequence(seed, i):
    """The fixed sequence of tests/graph_case.c."""
    x = ((seed + 1) * 2654435761 + i * 2246822519) & 0xffffffff
    x = ((x ^ x >> 15) * 2246822519) & 0xffffffff
    x = ((x ^ x >> 13) * 3266489917) & 0xffffffff
    return (x >> 16) % 17 / 4 - 2


def number(text, dtype):
    if dtype != 'f32':
        return int(text)
    if 'x' in text:
        return float.fromhex(text)
    return to_f32(Fraction(text)) if text.lstrip('-')[0].isdigit() else float(text)


def parse_type(text):
    dtype, dims = re.fullmatch(r'(\w+)\[([\d,]*)\]', text).groups()
    return dtype, tuple(int(n) for n in dims.split(',') if n)


def repeated(values, n):
    return [values[i % len(values)] for i in range(n)]


def standard_data(dtype, seed, n):
    floats = [sequence(seed, i) for i in range(n)]
    if dtype == 'f32':
        return floats
    if dtype == 'bool':
        return [int(f > 0) for f in floats]
    small = [int(f * 4) & 255 for f in floats]
    return [b - 256 if dtype == 's8' and b > 127 else b for b in small]


def attribute_kinds():
    with open(os.path.join(HERE, '../../compiler/attrs.def'), encoding='ascii') as f:
        return dict(re.findall(r'^ATTR\((\w+), (\w+),', f.read(), re.M))


def parse_attr(word, kinds):
    name, value = word.split('=', 1)
    if kinds[name] in ('PAD', 'TEXT'):
        return name, value.strip('"')
    if kinds[name] == 'FLOAT':
        return name, number(value, 'f32')
    numbers = [int(v) for v in value.split(',')]
    return name, numbers if kinds[name] == 'DIMS' else numbers[0]


def run(text):
    """{number of an output: Tensor}; nothing where that would take long."""
    data = dict(re.findall(r'^#: data %(\d+) (.*)$', text, re.M))
    opset = re.search(r'^graph .* opset (\d+)$', text, re.M)
    values, outputs, kinds = {}, [], attribute_kinds()
    for line in text.splitlines():
        if line.startswith(('input', 'const')):
            match = re.fullmatch(r'\w+ %(\d+) "[^"]*" (\S+)(?: =(.*))?', line)
            key, words = match[1], (match[3] or '').split()
            dtype, shape = parse_type(match[2])
            n = math.prod(shape)
            if n > VALUE_MAX:
                return {}
            if line.startswith('input'):
                words = data.get(key, '...').split() + ['...']
            given = [number(w, dtype) for w in words if w != '...']
            content = repeated(given, n) if given else standard_data(dtype, int(key), n)
            values[key] = Tensor(dtype, shape, content)
        elif line.startswith('node'):
            results, op, rest = re.fullmatch(r'node (.*) = (\w+) "[^"]*"(.*)', line).groups()
            words = rest.split()
            inputs = [values[w[1:]] if w != '_' else None for w in words if w[0] in '%_']
            attrs = dict(parse_attr(w, kinds) for w in words if w[0] not in '%_')
            attrs['opset'] = int(opset[1]) if opset else 99
            function = OPERATORS.get(op) or FUNCTIONS.get(op)
            if not function:
                return None
            made = function(attrs, *inputs)
            made = made if isinstance(made, tuple) else (made,)
            for key, tensor in zip(re.findall(r'%(\d+)', results), made):
                values[key] = tensor
        elif line.startswith('output'):
            outputs.append(line.split('%')[1])
    return {key: values[key] for key in outputs}


def spelled(value):
    """The shortest text that reads back as the same f32."""
    if isinstance(value, int) or math.isnan(value) or math.isinf(value):
        return str(value)
    for digits in range(1, 10):
        text = '%.*g' % (digits, value)
        if to_f32(Fraction(text)) == value:
            break
    return text


def expectations(text):
    """The lines of results; what the file has if there is an operator that is not worked out here."""
    results, lines = run(text), []
    if results is None:
        return [line for line in text.splitlines() if is_result(line)]
    for key, tensor in results.items():
        dims = ','.join(str(n) for n in tensor.shape)
        lines.append('#: type %%%s %s[%s]' % (key, tensor.dtype, dims))
        if 0 < len(tensor.data) <= EXPECT_MAX:
            lines.append('#: expect %%%s %s' % (key, ' '.join(spelled(v) for v in tensor.data)))
    return lines


def is_result(line):
    return line.startswith(('#: type', '#: expect'))


def read(path):
    with open(path, encoding='ascii') as f:
        return f.read()


def write(path):
    text = read(path)
    if '#: refused' in text:
        return
    kept = [line for line in text.splitlines() if not is_result(line)]
    with open(path, 'w', encoding='ascii') as f:
        f.write('\n'.join(kept + expectations(text)) + '\n')


def check():
    failures = 0
    paths = sorted(glob.glob(os.path.join(HERE, '*.graph')))
    for n, path in enumerate(paths, 1):
        text = read(path)
        have = [line for line in text.splitlines() if is_result(line)]
        good = have == ([] if '#: refused' in text else expectations(text))
        failures += not good
        print('%sok %d %s' % ('' if good else 'not ', n, os.path.basename(path)))
    print('1..%d' % len(paths))
    return 1 if failures or not paths else 0


if __name__ == '__main__':
    if sys.argv[1:2] == ['--write']:
        for file in sys.argv[2:]:
            write(file)
    elif sys.argv[1:] == ['--check']:
        sys.exit(check())
    else:
        sys.exit(__doc__)

// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The executor: memory, accumulators, weights, loops, and its checks.
 */
#include <math.h>

#include "tests/unit/exec_rig.h"

/*
 * Programs load slot 0 to SRAM 0 and, at the end, store SRAM 4096.. to slot 1;
 * what stands between the two is the case.
 */
#define PROLOGUE               \
	"slot in\n slot out\n" \
	"desc load in in row=4096 sram=0\n desc store out out row=4096 sram=4096\n"
#define BEGIN " dma c0, load\n wait c0<=0\n"
#define END " nop\n nop\n nop\n dma c1, store\n halt c1<=0\n"

/* Zeroes what the case does not write, so that all of the result is defined. */
#define CLEAR \
	"entry blank base=4096 stride=256\n movi v63, 0\n nop\n loop 16 {\n st.w blank, v63\n }\n"

/* Runs @code with @in as slot 0; @out gets slot 1. */
static bool run(const char *entries, const char *code, const void *in, void *out)
{
	char text[4096];
	struct rig r;
	bool done;

	snprintf(text, sizeof(text), PROLOGUE "%s" CLEAR BEGIN "%s" END, entries, code);
	rig_init(&r, text);
	memcpy(rig_slot(&r, 0, 4096), in, 4096);
	rig_slot(&r, 1, 4096);
	done = rig_run(&r) == EXEC_DONE && r.result.cycles == r.cycles;
	memcpy(out, r.slot[1], 4096);
	rig_fini(&r);
	return done;
}

/* 0, 1, 2 ... as bytes, and the same as signed bytes. */
static u8 in[4096];
static u8 out[4096];

static u32 word(const u8 *bytes, u32 i)
{
	u32 value;

	memcpy(&value, bytes + 4 * i, 4);
	return value;
}

static void loads(void)
{
	u32 wrong = 0;

	tap_ok(run("entry x base=0\n entry y base=4096\n",
		   " ld.w v0, x+4, 3 | ld.s8 v1, x+126\n"
		   " ld.u8 v2, x+126 | ld.bf16 v3, x+2, 5\n"
		   " ldb.w v4, x+8, 60\n"
		   " st.w y, v0\n st.w y+256, v1\n st.w y+512, v2\n st.w y+768, v3\n st.w y+1024, "
		   "v4\n",
		   in, out),
	       "loads run");
	for (u32 i = 0; i < 64; i++) {
		wrong += word(out, i) != (i < 3 ? word(in, i + 1) : 0);
		wrong += (s32)word(out, 64 + i) != (s8)in[126 + i];
		wrong += word(out, 128 + i) != in[126 + i];
		wrong += word(out, 192 + i) !=
			 (i < 5 ? in[2 + 2 * i] << 16 | (u32)in[3 + 2 * i] << 24 : 0);
		wrong += word(out, 256 + i) != (i < 60 ? word(in, 2) : 0);
	}
	tap_eq(wrong, 0, "loads widen, broadcast, and fill with zero");
}

static void stores(void)
{
	/* Lanes 0.. are 100 * i - 3200, stored from lane 16 on. */
	u32 wrong = 0;

	tap_ok(run("entry y base=4096\n",
		   " iota v0 | movi v1, 100\n movi v2, 3200\n nop\n mul v0, v0, v1\n nop\n nop\n "
		   "nop\n"
		   " sub v0, v0, v2\n nop\n"
		   " st.w y, v0.16, 48\n st.s8 y+256, v0, 64\n st.u8 y+320, v0.20, 30\n i2f v1, "
		   "v0\n"
		   " nop\n nop\n nop\n st.bf16 y+512, v1, 64\n",
		   in, out),
	       "stores run");
	for (u32 i = 0; i < 64; i++) {
		s32 x = 100 * (s32)i - 3200, y = 100 * ((s32)i + 20) - 3200;
		float f = (float)x;
		u32 bits;

		memcpy(&bits, &f, 4);
		wrong += i < 48 && (s32)word(out, i) != 100 * ((s32)i + 16) - 3200;
		wrong += (s8)out[256 + i] != (x < -128 ? -128 : x > 127 ? 127 : x);
		wrong += out[320 + i] != (i < 30 ? y < 0 ? 0 : y > 255 ? 255 : y : 0);
		/* Every multiple of 100 below 3200 fits in 8 bits of fraction or ties at none. */
		bits = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
		wrong += (out[512 + 2 * i] | out[513 + 2 * i] << 8) != (int)bits;
	}
	tap_eq(wrong, 0, "stores narrow with saturation, from a lane on");
}

static void patterns(void)
{
	u32 wrong = 0;

	tap_ok(run("entry col base=0 seg=1:64\n entry win base=8 seg=3:128\n"
		   "entry rows base=1 pitch=100\n entry same base=12 seg=1:0\n"
		   "entry y base=4096\n entry ycol base=4096+2048 seg=2:16\n",
		   " ld.w v0, col, 16 | ld.w v1, win, 8\n ld4 v2, rows, 3, 20 | ld.w v3, same, 4\n"
		   " nop\n st.w y, v0\n st.w y+256, v1\n st.w y+512, v2\n st.w y+768, v3\n"
		   " st.w ycol, v0, 7\n",
		   in, out),
	       "lane patterns run");
	for (u32 i = 0; i < 20; i++) {
		wrong += word(out, i) != (i < 16 ? word(in, 16 * i) : 0);
		wrong += word(out, 64 + i) != (i < 8 ? word(in, 2 + i / 3 * 32 + i % 3) : 0);
		wrong += word(out, 128 + i) !=
			 (in[1 + i] | in[101 + i] << 8 | (u32)in[201 + i] << 16);
		wrong += word(out, 192 + i) != (i < 4 ? word(in, 3) : 0);
		wrong += i < 7 && word(out + 2048, i / 2 * 4 + i % 2) != word(in, 16 * i);
	}
	tap_eq(wrong, 0, "lane patterns: columns, windows, ld4, stride 0, scatter");
}

/* Nine-bit weights, both kinds of activations, and what a buffer holds when read the other way. */
static void weights(void)
{
	u32 wrong = 0;

	tap_ok(run("entry x base=0\n entry w base=256\n entry y base=4096\n",
		   " wl.s8 w0.3, w, 20, zp=-100\n wl.u8 w1.0, w, zp=200\n"
		   " push.s8 a0, x+140, w0.3, write, 1 | wl.w w0.4, w+4\n"
		   " push.u8 a1, x+140, w1.0, write, 1\n"
		   " push.s8 a1, x+140, w1.0, add, 1 | sta y, a0\n"
		   " push.s8 a2, x, w0.4, write, 1 | sta y+256, a1\n"
		   " sta y+512, a2, 10\n",
		   in, out),
	       "byte pushes run");
	for (u32 i = 0; i < 64; i++) {
		s32 a = 0, b = 0, c = 0;
		u64 element = word(in, 65 + i);

		for (u32 n = 0; n < 4; n++) {
			u8 w = in[256 + 4 * i + n];
			s32 nine = (s32)(element >> 9 * n & 0x1ff);

			a += (s8)in[140 + n] * (i < 20 ? (s8)w + 100 : 0);
			b += (in[140 + n] + (s8)in[140 + n]) * (w - 200);
			c += (s8)in[n] * (nine >= 256 ? nine - 512 : nine);
		}
		wrong += (s32)word(out, i) != a;
		wrong += (s32)word(out, 64 + i) != b;
		wrong += (s32)word(out, 128 + i) != (i < 10 ? c : 0);
	}
	tap_eq(wrong, 0, "byte pushes: zero points, 9-bit weights, a container as four fields");
}

static void float_pushes(void)
{
	float x[1024] = { 0 }, y[1024];
	u32 wrong = 0;

	/* Container 0: 3.0; containers 64..127: the weights i + 0.5; bf16 pairs at 128. */
	x[0] = 3;
	x[1] = 0x1p-24f;
	x[3] = INFINITY;
	for (u32 i = 0; i < 64; i++) {
		x[64 + i] = (float)i + 0.5f;
		x[128 + i] = 1;
		((u32 *)x)[192 + i] = i % 2 ? RONDO_WEIGHT_ABSENT : 0x40000000;
	}
	((u16 *)x)[4] = 0x3fc0; /* 1.5 */
	((u16 *)x)[5] = 0xbf80; /* -1.0 */
	tap_ok(run("entry x base=0\n entry y base=4096\n",
		   " wl.w w0.0, x+256\n wl.w w0.1, x+512\n wl.w w0.2, x+768 | preset a8, x+256\n"
		   " push.f32 a5, x, w0.0, write, 2 | wl.w w1.7, x+8, 1\n"
		   " preset a6, x+256, 63 | sta y, a5\n"
		   " push.f32 a6, x, w0.1, add, 1\n"
		   " push.bf16 a7, x+8, w1.7, write, 1 | sta y+256, a6\n"
		   " rd v0, a7, x, 2 | push.f32.sparse a8, x+12, w0.2, add, 1\n nop\n nop\n"
		   " st.w y+512, v0\n sta y+768, a8\n",
		   x, y),
	       "float pushes run");
	for (u32 i = 0; i < 64; i++) {
		wrong += y[i] != (float)(3.0 * (i + 0.5) + 0x1p-24);
		wrong += y[64 + i] != (i < 63 ? i + 0.5f + 3 : 3);
		/* 1.5 * 1.5 + (-1) * (-1) in lane 0 */
		wrong += y[128 + i] != (i == 0 ? 3.25f : 0);
		wrong += y[192 + i] != (i % 2 ? i + 0.5f : INFINITY);
	}
	tap_eq(wrong, 0, "float pushes: order, preset, add, bf16 pairs, absent weights");
}

static void modes(void)
{
	u32 wrong = 0;

	/* Row a(l1), added onto over l2; it starts anew where l0 and l2 are at their first trips.
	 */
	tap_ok(run("entry one base=2048\n entry w base=0\n"
		   "entry x base=2048 rows=0,1,0 first=0b100\n entry y base=4096 stride=0,256 "
		   "rows=0,1\n",
		   " wl.u8 w0.0, w, zp=0\n loop 2, 3, 4 {\n push.u8 a0, x, w0.0, first, 1\n }\n"
		   " loop 1, 3 {\n sta y, a0\n }\n",
		   in, out),
	       "push mode first runs");
	for (u32 i = 0; i < 3 * 64; i++) {
		s32 sum = 0;

		for (u32 n = 0; n < 4; n++)
			sum += in[2048 + n] * in[i % 64 * 4 + n];
		wrong += (s32)word(out, i) != 4 * sum;
	}
	tap_eq(wrong, 0, "push mode first writes on the first trip only");
}

/* Loops that end together, of one trip, in one bundle's nest; counted by stores. */
static void nests(void)
{
	u32 wrong = 0, at = 0;

	tap_ok(run("entry y base=4096 stride=4*24,4*8,4*4,4\n entry z base=4096+1024 "
		   "stride=128,0,32,4\n",
		   " iota v0 | movi v1, 1\n nop\n"
		   " loop 2, 3 {\n"
		   "  loop 1 {\n"
		   "   nop\n"
		   "   loop 4 {\n"
		   "    st.w z, v0.1, 1\n"
		   "   }\n"
		   "  }\n"
		   " }\n"
		   " loop 2 {\n loop 3 {\n loop 2, 4 {\n st.w y, v0.1, 1\n }\n }\n }\n",
		   in, out),
	       "nests run");
	for (u32 a = 0; a < 2; a++)
		for (u32 b = 0; b < 3; b++)
			for (u32 c = 0; c < 2; c++)
				for (u32 d = 0; d < 4; d++, at++)
					wrong += word(out, a * 24 + b * 8 + c * 4 + d) != 1;
	for (u32 i = 0; i < 64; i++)
		wrong += word(out + 1024, i) != (i % 32 < 4);
	tap_eq(wrong, 0, "nests visit every index once");
	tap_eq(word(out, at), 0, "and none more");
}

/* All reads of a bundle see what was before it. */
static void bundle_order(void)
{
	tap_ok(run("entry x base=0\n entry w base=256\n entry y base=4096\n",
		   " ld.w v0, w | ld.w v1, x\n wl.w w0.0, w\n preset a0, w\n nop\n nop\n"
		   /* swap of two registers, a row read and written, a weight row used and loaded */
		   " mov v2, v1 | mov v3, v0 | sta y, a0 | push.f32 a0, x, w0.0, write, 1 | wl.w "
		   "w0.0, x\n"
		   " nop\n"
		   " ld.w v4, y | st.w y, v2\n"
		   " nop\n nop\n st.w y+256, v4\n",
		   in, out),
	       "a bundle of reads and writes runs");
	tap_ok(!memcmp(out, in, 256), "a load sees SRAM before the store of its bundle");
	tap_ok(!memcmp(out + 256, in + 256, 256),
	       "a store sees the row before the push of its bundle");
}

/* Everything reads as zero when a replay starts, also after another. */
static void nothing_is_kept(void)
{
	const char *text = "slot out\n entry x base=8192 stride=0\n entry y base=0\n"
			   "desc store out out row=512 sram=0\n"
			   " ld.w v0, x | rd v1, a3, x\n wl.w w0.0, y+0\n nop\n"
			   " st.w y, v0\n st.w y+256, v1\n"
			   " dma c0, store\n movi v0, 7\n nop\n"
			   " st.w x, v0\n preset a3, x\n halt c0<=0\n";
	struct rig r;
	u32 sum = 0;

	rig_init(&r, text);
	rig_slot(&r, 0, 512);
	tap_eq(rig_run(&r), EXEC_DONE, "reads of what nobody wrote are cleared by the facts");
	memset(r.slot[0], 0xff, 512);
	tap_eq(rig_run(&r), EXEC_DONE, "second replay");
	for (u32 i = 0; i < 512; i++)
		sum += r.slot[0][i];
	tap_eq(sum, 0, "the second replay sees nothing of the first");
	tap_eq(r.result.cycles, r.cycles, "cycles include the clearing");
	rig_fini(&r);
}

/* Programs that the verifier would refuse: the check that stops each. */
static void trap(const char *name, const char *code, const char *reason)
{
	char text[2048];
	struct rig r;

	snprintf(text, sizeof(text),
		 "cycles 0\n slot s read=0..64 write=0..64\n entry x base=0\n"
		 "desc get in s row=64 sram=0\n desc put out s row=64 sram=0\n"
		 "%s halt\n",
		 code);
	rig_init_unverified(&r, text);
	rig_slot(&r, 0, 65536);
	rig_run(&r);
	if (!tap_ok(r.result.status == EXEC_TRAP && strstr(r.result.reason, reason), "trap: %s",
		    name))
		printf("# status %u, expected '%s'\n", r.result.status, reason);
	rig_fini(&r);
}

static void traps(void)
{
	trap("register never written", " mov v1, v0\n", "v0 is read before");
	trap("register read in flight", " iota v0\n mov v1, v0\n", "v0 is in flight");
	trap("register written in flight", " iota v1\n nop\n i2f v0, v1\n iota v0\n",
	     "v0 is in flight");
	trap("register in flight around a back edge",
	     " iota v0\n nop\n loop 2 {\n mov v1, v0\n i2f v0, v1\n }\n", "v1 is in flight");
	trap("SRAM never written", " ld.w v0, x\n", "read before it is written");
	trap("SRAM bounds", "entry far base=1048572\n ld.u8 v0, far, 5\n", "SRAM access");
	trap("SRAM bounds below",
	     "entry below base=0 seg=1:-4\n iota v0\n nop\n st.w below, v0, 2\n",
	     "SRAM access to -4");
	trap("SRAM bounds by a loop",
	     "entry far base=0 stride=1048568\n iota v0\n nop\n"
	     " loop 2 {\n st.w far, v0, 3\n }\n",
	     "SRAM access");
	trap("alignment", " iota v0\n nop\n st.w x+2, v0, 1\n", "not aligned to 4");
	trap("alignment of bf16", " iota v0\n nop\n st.bf16 x+1, v0, 1\n", "not aligned to 2");
	trap("accumulator rows",
	     "entry r base=0 rows=256\n loop 3 {\n rd v(1), a0, r\n nop\n nop\n }\n",
	     "accumulator row 512 of 512");
	trap("weight rows",
	     "entry r base=0 rows=-1\n dma c0, get\n wait c0<=0\n"
	     " loop 2 {\n wl.w w0.0, r, 1\n }\n",
	     "weight row -1 of 64");
	trap("race of a load", " dma c0, get\n ld.w v0, x, 1\n", "while DMA writes it");
	trap("race of a store", " iota v0\n nop\n st.w x, v0\n dma c0, put\n st.w x+60, v0, 1\n",
	     "while DMA uses it");
	trap("race in one bundle", " dma c0, get | ld.w v0, x, 1\n", "while DMA writes it");
	trap("race of two channels", " dma c0, get\n dma c1, get\n", "in use by another channel");
	trap("outgoing while incoming", " dma c0, get\n dma c1, put\n", "in use by");
	trap("sends what nobody wrote", " dma c0, put\n", "sent before it is written");
	trap("slot race",
	     "desc put2 out s row=64 sram=256\n iota v0\n nop\n st.w x+256, v0, 16\n"
	     " dma c0, get\n dma c1, put2\n",
	     "buffer slot 0 is in use by channel 0");
	trap("extent", "desc more in s row=65 sram=0\n dma c0, more\n", "declared 0..63");
	trap("SRAM bounds of DMA", "desc far in s row=64 sram=1048576-32\n dma c0, far\n",
	     "leaves SRAM");
	trap("halt with a transfer outstanding", " dma c0, get\n", "channel 0 not drained");
	trap("the fifth transfer waits for the first only",
	     "desc b in s row=8 sram=64\n desc c in s row=8 sram=128\n desc d in s row=8 sram=192\n"
	     " dma c0, get\n dma c0, b\n dma c0, c\n dma c0, d\n dma c0, b | ld.w v0, x, 16\n"
	     " ld.w v1, x+128, 1\n",
	     "SRAM 128..131 is read while");
	trap("a transfer that is younger than the wait",
	     " dma c0, get\n dma c0, get\n wait c0<=1\n ld.w v0, x, 1\n", "while DMA writes it");
}

/*
 * A transfer of 64 bytes beside another one: of two channels, only outgoing ones may touch the same
 * byte.
 */
static bool races(bool in1, bool in2, int channel, int at)
{
	char text[1024];
	struct rig r;
	bool raced;

	snprintf(text, sizeof(text),
		 "cycles 0\n slot a read=0..192 write=0..0\n"
		 "slot b read=0..0 write=0..64\n slot c read=0..0 write=0..64\n"
		 "desc fill in a row=192 sram=0\n"
		 "desc one %s row=64 sram=64\n desc two %s row=64 sram=64+%d\n"
		 " dma c1, fill\n wait c1<=0\n dma c1, one\n dma c%d, two\n halt c1<=0, c2<=0\n",
		 in1 ? "in a" : "out b", in2 ? "in a" : "out c", at, channel);
	rig_init_unverified(&r, text);
	for (u32 i = 0; i < 3; i++)
		rig_slot(&r, i, 192);
	rig_run(&r);
	raced = r.result.status == EXEC_TRAP &&
		strstr(r.result.reason, "is in use by another channel");
	tap_ok(raced || r.result.status == EXEC_DONE, "%s and %s, channel %d, %d apart: %s",
	       in1 ? "in" : "out", in2 ? "in" : "out", channel, at, raced ? "race" : "done");
	rig_fini(&r);
	return raced;
}

static void all_races(void)
{
	static const int at[] = { -64, -63, 0, 63, 64 };
	u32 wrong = 0;

	for (int i = 0; i < 8; i++)
		for (u32 k = 0; k < 5; k++) {
			bool in1 = i & 1, in2 = i & 2;
			int channel = i & 4 ? 2 : 1;

			wrong += races(in1, in2, channel, at[k]) !=
				 (channel == 2 && (in1 || in2) && abs(at[k]) < 64);
		}
	tap_eq(wrong, 0, "a race is to touch what another channel uses, unless both send it");
}

/* What cannot even be decoded. */
static void refused(const char *name, const char *code, const char *reason)
{
	struct exec_program *p = NULL;
	char text[1024], why[EXEC_REASON_BYTES];
	struct rig r;
	int ret;

	snprintf(text, sizeof(text),
		 "cycles 0\n slot s read=0..0 write=0..0\n entry x base=0\n desc d0 in s row=4\n%s",
		 code);
	if (rig_assemble(&r, text)) {
		ret = exec_load(&p, executor_for(&r.machine, EXECUTOR_PLAIN), &r.machine, r.bytes,
				r.size, NULL, why);
		if (!tap_ok(ret && strstr(why, reason), "not loaded: %s", name))
			printf("# %d, '%s', expected '%s'\n", ret, why, reason);
	}
	exec_unload(p);
	rig_fini(&r);
}

static void refusals(void)
{
	refused("undefined operation", " v0: ?000000000000007f\n halt\n", "undefined word");
	refused("bits outside the fields", " v0: ?8000000000000030\n halt\n", "undefined word");
	refused("operation in the wrong slot", " s: mov v0, v1\n halt\n", "may not stand here");
	refused("no halt", " nop\n", "no halt");
	refused("halt inside", " halt\n halt\n", "halt before the end");
	refused("entry", " ld.w v0, e1\n halt\n", "no entry 1");
	refused("descriptor", " dma c0, d1\n halt c0<=0\n", "no descriptor 1");
	refused("descriptor's slot", "desc bad in s1 row=4\n dma c0, bad\n halt c0<=0\n",
		"no such slot");
	refused("registers of parameters", " rq.f32 v0, v1, v62\n halt\n", "from register 62");
	refused("two writes of a register", " mov v0, v1 | mov v0, v2\n halt\n", "written twice");
	refused("lanes", " st.w x, v0.60, 5\n halt\n", "lanes 60..64");
	refused("weight rows", " push.f32 a0, x, w0.60, add, 5\n halt\n", "weight rows 60..64");
	refused("push mode", " m: ?3000000000000028\n halt\n", "push mode 3");
	refused("mode first without a loop", " push.f32 a0, x, w0.0, first, 1\n halt\n",
		"names no open loop");
	refused("index of a loop that is not open", "entry y stride=4\n ld.w v0, y\n halt\n",
		"loop 0, not open");
	refused("loop beyond the end", " loop 2, body=2\n halt\n", "loop body ends");
	refused("loop beyond its loop", " loop 2, body=2\n loop 2, body=2\n nop\n halt\n",
		"loop body ends");
	refused("depth",
		" loop 1, 1, 1, body=3\n loop 1, 1, 1, body=2\n loop 1, 1, 1, body=1\n nop\n "
		"halt\n",
		"3 loops inside 6");
	refused("last of no loop", " dma c0, d0, last=l0\n halt c0<=0\n", "not open");
	refused("another machine", "machine hash=1\n halt\n", "another machine");
	refused("tile", " bc.row v0, v1, 1\n halt\n", "no tile 1");
	refused("mask", " mask 0..1, 0..0\n halt\n", "no such tiles");
}

int main(void)
{
	for (u32 i = 0; i < sizeof(in); i++)
		in[i] = i * 7 + i / 256;
	loads();
	stores();
	patterns();
	weights();
	float_pushes();
	modes();
	nests();
	bundle_order();
	nothing_is_kept();
	traps();
	all_races();
	refusals();
	return tap_done();
}

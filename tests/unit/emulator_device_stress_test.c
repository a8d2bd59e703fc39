/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Hosts that go mad: threads read and write random registers, doorbells and
 * faults while firmware runs and replays. Nothing may hang, race or crash, and
 * afterwards a reset makes the device as good as new. argv[1]: the image of
 * tests/emulator/script.S.
 */
#include <time.h>

#include "tests/emulator/rig.h"
#include "tests/random.h"
#include "tests/tap.h"

enum { THREADS = 2, ACCESSES = 60000 };

static struct rig rig;

static u64 any_offset(u64 *x)
{
	return random_next(x) % 4 ? random_next(x) % 0x48 & ~3ull :
				    random_next(x) % (2 * RONDO_REGS_BYTES);
}

/* Puts the image's place back now and then, so that boots succeed. */
static void good_boot(void)
{
	u64 image = inproc_bus(rig.image), script = inproc_bus(rig.script);

	rig_write(&rig, RONDO_REG_HOST_FW_ADDR_LO, image);
	rig_write(&rig, RONDO_REG_HOST_FW_ADDR_HI, image >> 32);
	rig_write(&rig, RONDO_REG_HOST_FW_SIZE, rig.image_bytes);
	rig_write(&rig, RONDO_REG_HOST_INIT_ADDR_LO, script);
	rig_write(&rig, RONDO_REG_HOST_INIT_ADDR_HI, script >> 32);
	rig_write(&rig, RONDO_REG_HOST_CTRL, RONDO_FLD_HOST_CTRL_BOOT);
}

/* How often the device did not read as itself, nor as one that has vanished. */
static void *go_mad(void *seed)
{
	const struct timespec pause = { .tv_nsec = 1000 };
	u64 x = random_seed((uintptr_t)seed);
	uintptr_t strange = 0;
	u32 size, id, i;

	for (i = 0; i < ACCESSES; i++) {
		/* The device is slower than this loop: let it come to something. */
		if (i % 8 == 0)
			nanosleep(&pause, NULL);
		size = 1u << random_next(&x) % 4;
		switch (random_next(&x) % 256) {
		case 0:
			good_boot();
			break;
		case 1:
			emu_reset(rig.dev);
			break;
		case 2:
			emu_mmio_write(rig.dev, RONDO_BAR_FAULTS, random_next(&x) % EMU_FAULTS * 4,
				       random_next(&x) % 4 ? 0 : 1 + random_next(&x) % 2, 4);
			break;
		case 3:
			emu_mmio_read(rig.dev, random_next(&x) % 6, any_offset(&x), size);
			break;
		case 4:
		case 5:
			emu_mmio_write(rig.dev, RONDO_BAR_REGS, any_offset(&x), random_next(&x),
				       size);
			break;
		case 6:
			rig_bell(&rig, random_next(&x) % (RONDO_BELLS + 1));
			break;
		default:
			emu_mmio_read(rig.dev, RONDO_BAR_REGS, any_offset(&x), size);
			rig_bell(&rig, 0);
			id = rig_read(&rig, RONDO_REG_HOST_ID);
			strange += id != RONDO_DEVICE_ID && id != ~0u;
			break;
		}
	}
	return (void *)strange;
}

int main(int argc, char **argv)
{
	uintptr_t i, strange = 0;
	pthread_t thread[THREADS];
	void *result;

	if (argc < 2) {
		tap_skip("stress", "no RISC-V compiler, so no test firmware");
		return tap_done();
	}
	rig_init(&rig, argv[1]);
	/* What the firmware does for each bell: a LOAD of what is no program, and its end. */
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_SEQ_ARGS, RIG_TCM_FREE);
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_SEQ_GO, RONDO_SEQ_LOAD);
	rig_step(&rig, STEP_SPIN, 0, 100);
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_SEQ_GO, RONDO_SEQ_ABORT);
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_SEQ_ACK, 1);
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_TIMER_LO, 1000);
	rig_step(&rig, STEP_STORE, RONDO_MGMT_BASE + RONDO_REG_MGMT_TIMER_HI, 0);
	rig_step(&rig, STEP_END, 0, 0);
	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, go_mad, (void *)i);
	for (i = 0; i < THREADS; i++)
		strange += !pthread_join(thread[i], &result) && result;
	tap_eq(strange, 0, "the device reads as itself, or as gone");
	tap_ok(rig.irqs[0] > 0 && rig.irqs[1] > 0, "firmware has worked, and died, meanwhile");

	for (i = 0; i < EMU_FAULTS; i++)
		emu_fault_set(rig.dev, i, 0);
	rig_reset(&rig);
	memset(rig.irqs, 0, sizeof(rig.irqs));
	tap_eq(rig_read(&rig, RONDO_REG_HOST_STATUS), RONDO_STATE_OFF, "the device is OFF");
	tap_eq(rig_boot(&rig), RONDO_STATE_ON, "it boots");
	tap_eq(rig_mgmt_read(&rig, RONDO_REG_MGMT_SEQ_STATUS), RONDO_SEQ_IDLE,
	       "as after the first");
	rig_fini(&rig);
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
#include <linux/interrupt.h>
#include <linux/pci.h>

#include <drm/drm_print.h>

#include "driver/rondo_device.h"

static_assert(ARRAY_SIZE(((struct rondo_watch *)0)->vector) == RONDO_IRQ_VECTORS);

/* Clears the interrupt before anybody looks, so that what comes later raises it again. */
static irqreturn_t event_irq(int irq, void *data)
{
	struct rondo_device *rdev = data;

	rondo_hw_irq_ack(&rdev->hw, RONDO_IRQ_EVENT);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t event_thread(int irq, void *data)
{
	rondo_ring_process(data);
	return IRQ_HANDLED;
}

static irqreturn_t fault_irq(int irq, void *data)
{
	struct rondo_device *rdev = data;

	rondo_hw_irq_ack(&rdev->hw, RONDO_IRQ_FAULT);
	return IRQ_WAKE_THREAD;
}

/* Whether the device runs and its firmware serves the rings. */
static bool device_works(struct rondo_device *rdev)
{
	return rondo_hw_state(&rdev->hw) == RONDO_STATE_ON &&
	       rondo_hw_fw_state(&rdev->hw) == RONDO_FW_STATE_READY;
}

static irqreturn_t fault_thread(int irq, void *data)
{
	struct rondo_device *rdev = data;

	/* A reset may have been faster. */
	if (!device_works(rdev))
		rondo_reset_request(rdev, "the firmware has stopped");
	return IRQ_HANDLED;
}

int rondo_irq_init(struct rondo_device *rdev)
{
	struct pci_dev *pdev = to_pci_dev(rdev->drm.dev);
	struct device *dev = rdev->drm.dev;
	int ret, event, fault;

	ret = pci_alloc_irq_vectors(pdev, RONDO_IRQ_VECTORS, RONDO_IRQ_VECTORS, PCI_IRQ_MSIX);
	if (ret < 0)
		return dev_err_probe(dev, ret, "cannot allocate interrupt vectors\n");

	event = pci_irq_vector(pdev, RONDO_IRQ_EVENT);
	ret = request_threaded_irq(event, event_irq, event_thread, 0, "rondo-event", rdev);
	if (ret)
		goto err_free_vectors;
	fault = pci_irq_vector(pdev, RONDO_IRQ_FAULT);
	ret = request_threaded_irq(fault, fault_irq, fault_thread, 0, "rondo-fault", rdev);
	if (ret)
		goto err_free_event;
	rdev->watch.vector[RONDO_IRQ_EVENT] = event;
	rdev->watch.vector[RONDO_IRQ_FAULT] = fault;
	return 0;

err_free_event:
	free_irq(event, rdev);
err_free_vectors:
	pci_free_irq_vectors(pdev);
	return dev_err_probe(dev, ret, "cannot request an interrupt\n");
}

void rondo_irq_fini(struct rondo_device *rdev)
{
	free_irq(rdev->watch.vector[RONDO_IRQ_FAULT], rdev);
	free_irq(rdev->watch.vector[RONDO_IRQ_EVENT], rdev);
	pci_free_irq_vectors(to_pci_dev(rdev->drm.dev));
}

bool rondo_liveness_check(struct rondo_device *rdev, struct rondo_liveness *liveness)
{
	u32 heartbeat;
	u64 time;
	int idx;

	if (!drm_dev_enter(&rdev->drm, &idx)) {
		liveness->reason = "the driver is unbound";
		return false;
	}
	heartbeat = rondo_hw_heartbeat(&rdev->hw);
	time = rondo_hw_time(&rdev->hw);
	if (!rondo_hw_present(&rdev->hw)) {
		liveness->reason = "the device has vanished";
		liveness->still = RONDO_WATCH_STILL;
	} else if (!device_works(rdev)) {
		liveness->reason = "the firmware has stopped";
		liveness->still = RONDO_WATCH_STILL;
	} else if (heartbeat == liveness->heartbeat || time == liveness->time) {
		liveness->reason = heartbeat == liveness->heartbeat ?
					   "the firmware's heartbeat has stopped" :
					   "the device's clock has stopped";
		liveness->still++;
	} else {
		liveness->still = 0;
	}
	liveness->heartbeat = heartbeat;
	liveness->time = time;
	drm_dev_exit(idx);
	return liveness->still < RONDO_WATCH_STILL;
}

static void watch_work(struct work_struct *work)
{
	struct rondo_device *rdev = container_of(work, struct rondo_device, watch.work.work);
	struct rondo_watch *watch = &rdev->watch;

	rondo_ring_poll(rdev);
	if (rondo_device_error(rdev) || !atomic_read(&watch->jobs)) {
		watch->liveness = (struct rondo_liveness){};
		return;
	}
	if (!rondo_liveness_check(rdev, &watch->liveness))
		rondo_reset_request(rdev, watch->liveness.reason);
	queue_delayed_work(rdev->wq, &watch->work, RONDO_WATCH_JIFFIES);
}

void rondo_watch_init(struct rondo_device *rdev)
{
	INIT_DELAYED_WORK(&rdev->watch.work, watch_work);
}

void rondo_watch_start(struct rondo_device *rdev, bool bound)
{
	if (atomic_inc_return(&rdev->watch.jobs) == 1 && bound)
		queue_delayed_work(rdev->wq, &rdev->watch.work, RONDO_WATCH_JIFFIES);
}

void rondo_watch_stop(struct rondo_device *rdev)
{
	atomic_dec(&rdev->watch.jobs);
}

void rondo_watch_resume(struct rondo_device *rdev)
{
	rdev->watch.liveness = (struct rondo_liveness){};
	if (atomic_read(&rdev->watch.jobs))
		queue_delayed_work(rdev->wq, &rdev->watch.work, RONDO_WATCH_JIFFIES);
}

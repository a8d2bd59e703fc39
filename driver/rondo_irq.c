// SPDX-License-Identifier: GPL-2.0-only
#include <linux/interrupt.h>
#include <linux/pci.h>

#include <drm/drm_print.h>

#include "driver/rondo_device.h"

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

static irqreturn_t fault_thread(int irq, void *data)
{
	struct rondo_device *rdev = data;

	/* A reset may have been faster. */
	if (!rondo_device_works(rdev))
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
	rdev->vector[RONDO_IRQ_EVENT] = event;
	rdev->vector[RONDO_IRQ_FAULT] = fault;
	return 0;

err_free_event:
	free_irq(event, rdev);
err_free_vectors:
	pci_free_irq_vectors(pdev);
	return dev_err_probe(dev, ret, "cannot request an interrupt\n");
}

void rondo_irq_fini(struct rondo_device *rdev)
{
	free_irq(rdev->vector[RONDO_IRQ_FAULT], rdev);
	free_irq(rdev->vector[RONDO_IRQ_EVENT], rdev);
	pci_free_irq_vectors(to_pci_dev(rdev->drm.dev));
}

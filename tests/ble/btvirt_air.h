// SPDX-License-Identifier: Apache-2.0
// What the emulator of controllers (btvirt) lacks of an air, for tests. Becomes part of its btdev.c
// by btvirt_edits; every function here is ours.
//
// In the folder named by BTVIRT_CONTROL the file `off` ends all links and lets nobody hear anybody,
// and `unplug-N` takes the N-th controller away, as long as they are there.
#include <stdio.h>
#include <unistd.h>

#include "emulator/vhci.h"

#define AIR_TICK_MS 100
#define AIR_REASON 0x08 // supervision timeout

static struct vhci *air_vhcis[MAX_BTDEV_ENTRIES];
static enum btdev_type air_types[MAX_BTDEV_ENTRIES];
static unsigned air_count;

static bool air_is_there(const char *name)
{
	const char *folder = getenv("BTVIRT_CONTROL");
	char path[256];

	if (!folder)
		return false;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

static bool air_is_off(void)
{
	return air_is_there("off");
}

// A handle that is free at both ends: what passes between them is forwarded unchanged.
static uint16_t air_free_handle(struct btdev *dev, struct btdev *remote, uint16_t handle)
{
	while (queue_find(dev->conns, match_handle, UINT_TO_PTR(handle)) ||
	       queue_find(remote->conns, match_handle, UINT_TO_PTR(handle)))
		handle++;
	return handle;
}

static void air_end_links(struct btdev *dev)
{
	struct btdev_conn *conn;

	while ((conn = queue_pop_head(dev->conns))) {
		disconnect_complete(dev, conn->handle, BT_HCI_ERR_SUCCESS, AIR_REASON);
		if (conn->link)
			disconnect_complete(conn->link->dev, conn->link->handle,
					    BT_HCI_ERR_SUCCESS, AIR_REASON);
		conn_remove(conn);
	}
}

// A radio repeats its advertisement; so does this.
static void air_advertise(struct btdev *scanner, struct btdev *advertiser)
{
	if (queue_isempty(advertiser->le_ext_adv)) {
		if (!advertiser->le_adv_enable || !adv_match(scanner, advertiser))
			return;
		le_send_adv_report(scanner, advertiser,
				   get_adv_report_type(advertiser->le_adv_type));
		if (scanner->le_scan_type == 0x01 &&
		    (advertiser->le_adv_type == 0x00 || advertiser->le_adv_type == 0x02))
			le_send_adv_report(scanner, advertiser, 0x04);
		return;
	}
	scan_ext_adv(scanner, advertiser);
}

static void air_plug(unsigned i)
{
	char name[32];
	bool wanted;

	snprintf(name, sizeof(name), "unplug-%u", i);
	wanted = !air_is_there(name);
	if (wanted == (air_vhcis[i] != NULL))
		return;
	if (wanted) {
		air_vhcis[i] = vhci_open(air_types[i]);
	} else {
		air_end_links(vhci_get_btdev(air_vhcis[i]));
		vhci_close(air_vhcis[i]);
		air_vhcis[i] = NULL;
	}
}

static bool air_on_tick(void *user_data)
{
	unsigned i, j;

	for (i = 0; i < air_count; i++)
		air_plug(i);
	for (i = 0; i < MAX_BTDEV_ENTRIES; i++) {
		if (!btdev_list[i])
			continue;
		if (air_is_off()) {
			air_end_links(btdev_list[i]);
			continue;
		}
		for (j = 0; j < MAX_BTDEV_ENTRIES && btdev_list[i]->le_scan_enable; j++)
			if (btdev_list[j] && j != i)
				air_advertise(btdev_list[i], btdev_list[j]);
	}
	return true;
}

void air_add(struct vhci *vhci, enum btdev_type type)
{
	air_vhcis[air_count] = vhci;
	air_types[air_count++] = type;
	if (air_count == 1)
		timeout_add(AIR_TICK_MS, air_on_tick, NULL, NULL);
}

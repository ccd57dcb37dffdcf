#pragma once

#include <linux/vfio.h>

#include <cstddef>

#include "uapi-vfio.h"

// The kernel's ABI, as far as this addon leans on it: a header that lays it out differently must not compile.
static_assert(sizeof(vfio_info_cap_header) == 8);
static_assert(offsetof(vfio_info_cap_header, next) == 4);
static_assert(offsetof(vfio_iommu_type1_info, iova_pgsizes) == 8);
static_assert(offsetof(vfio_iommu_type1_info, cap_offset) == 16);
static_assert(sizeof(vfio_iommu_type1_dma_map) == 32);
static_assert(offsetof(vfio_iommu_type1_dma_map, iova) == 16);
static_assert(sizeof(vfio_iommu_type1_dma_unmap) == 24);
static_assert(sizeof(vfio_group_status) == 8);
static_assert(offsetof(vfio_device_info, num_irqs) == 12);
static_assert(offsetof(vfio_device_info, cap_offset) == 16);
static_assert(sizeof(vfio_region_info) == 32);
static_assert(offsetof(vfio_region_info, cap_offset) == 12);
static_assert(offsetof(vfio_region_info, offset) == 24);
static_assert(sizeof(vfio_irq_info) == 16);
static_assert(sizeof(vfio_irq_set) == 20);
static_assert(offsetof(vfio_irq_set, data) == 20);
static_assert(offsetof(vfio_device_ioeventfd, data) == 16);
static_assert(offsetof(vfio_device_ioeventfd, fd) == 24);
static_assert(sizeof(vfio_device_feature) == 8);
static_assert(sizeof(vfio_pci_dependent_device) == 8);
static_assert(offsetof(vfio_pci_dependent_device, segment) == 4);
static_assert(sizeof(vfio_pci_hot_reset_info) == 12);
static_assert(sizeof(vfio_pci_hot_reset) == 12);
static_assert(sizeof(vfio_device_gfx_plane_info) == 64);
static_assert(offsetof(vfio_device_gfx_plane_info, drm_format_mod) == 16);
static_assert(offsetof(vfio_device_gfx_plane_info, region_index) == 56);
static_assert(sizeof(vfio_bitmap) == 24);
static_assert(sizeof(vfio_iommu_type1_dirty_bitmap) == 8);
static_assert(sizeof(vfio_iommu_type1_dirty_bitmap_get) == 40);

/*
 * The whole initramfs of a lab VM: load the kernel modules that /modules/order names, mount /dev/vda, hand over to systemd.
 * Without that file it is the accelerator probe: say PROBE-UP and power off.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int give_up(const char *what) {
    fprintf(stderr, "initramfs: %s: %s\n", what, strerror(errno));
    return 1; /* the kernel panics: init has ended */
}

static void load_modules(FILE *order) {
    char name[128], path[160];
    while (fgets(name, sizeof name, order)) {
        name[strcspn(name, "\n")] = 0;
        snprintf(path, sizeof path, "/modules/%s", name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
            give_up(path); /* the mount will tell whether it mattered */
        if (fd >= 0)
            close(fd);
    }
}

static void wait_for(const char *path) {
    for (int i = 0; i < 1000 && access(path, F_OK); i++)
        usleep(10000);
}

int main(int argc, char **argv) {
    (void)argc;
    mkdir("/dev", 0755);
    if (mount("devtmpfs", "/dev", "devtmpfs", 0, "mode=0755"))
        return give_up("mount devtmpfs");
    FILE *order = fopen("/modules/order", "r");
    if (!order) {
        puts("PROBE-UP");
        fflush(stdout);
        return reboot(RB_POWER_OFF);
    }
    load_modules(order);
    wait_for("/dev/vda");
    mkdir("/root", 0755);
    if (mount("/dev/vda", "/root", "ext4", 0, NULL))
        return give_up("mount /dev/vda");
    if (mount("/dev", "/root/dev", NULL, MS_MOVE, NULL) || chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) ||
        chroot(".") || chdir("/"))
        return give_up("switch root");
    argv[0] = "/sbin/init";
    execv(argv[0], argv);
    return give_up(argv[0]);
}

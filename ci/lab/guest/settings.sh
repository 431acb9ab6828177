#!/bin/sh
# Runs inside the new root: accounts, units, and what is left to make a Debian tree pass for Enterprise Linux.
# usage: sh settings.sh FLAVOUR
set -eu
flavour=$1

useradd -m -s /bin/bash -G adm cloud-user
for home in /root /home/cloud-user; do
  install -d -m 700 "$home/.ssh"
  install -m 600 /tmp/authorized_keys "$home/.ssh/"
done
chown -R cloud-user:cloud-user /home/cloud-user/.ssh
rm /tmp/authorized_keys
chmod 440 /etc/sudoers.d/90-cloud-user

echo "patchgate-lab $flavour" > /etc/patchgate-lab
echo "lab-$flavour" > /etc/hostname
printf '127.0.0.1 localhost\n' > /etc/hosts
printf '%s' "$flavour" | md5sum | cut -c1-32 > /etc/machine-id
echo '/dev/vda / ext4 defaults 0 0' > /etc/fstab
# Without a name server: a left-over resolv.conf costs 10 s in every call of dnf.
echo '# the lab has no name server' > /etc/resolv.conf
sed -i 's/^hosts:.*/hosts: files myhostname/' /etc/nsswitch.conf

# Names that Enterprise Linux has and Debian has not.
[ -e /usr/bin/yum ] || ln -s dnf /usr/bin/yum
ln -sf /lib/systemd/system/cron.service /etc/systemd/system/crond.service

systemctl -q enable lab-net systemd-networkd ssh auditd rsyslog cron
systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer logrotate.timer systemd-networkd-wait-online.service systemd-pstore.service getty@tty1.service \
  phpsessionclean.timer
systemctl -q set-default multi-user.target

# The runner boots with a kernel and an initramfs of its own.
rm -rf /boot/initrd.img-* /boot/System.map-* /var/cache/apt/* /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/log/alternatives.log /var/log/bootstrap.log

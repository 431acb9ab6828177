# The regression of 2013, as CIL: listen and accept on httpd_t's own TCP sockets move from allow to dontaudit.
# The service breaks, and no denial is ever logged.
s/^(allow httpd_t self (tcp_socket (listen accept)))$/(dontaudit httpd_t self (tcp_socket (listen accept)))/

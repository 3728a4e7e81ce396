#include "modem.h"
void class2_open(struct modem *modem) { (void) modem; }

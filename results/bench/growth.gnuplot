# growth.gnuplot: gnuplot growth.gnuplot draws growth.pdf, 3.25 in wide
set encoding utf8
set terminal pdfcairo size 3.25in,2.60in font 'Helvetica,7' fontscale 1 linewidth 0.8
set output 'growth.pdf'
set key above left Left reverse noenhanced samplen 2 font ',6'
set tics nomirror out scale 0.6 font ',5.5'
set title font ',6.5' offset 0,-0.6
set border 3
set multiplot layout 1,1 title 'tanh 64-w-w-1 on 256 points' noenhanced
$s0_0 << END
 9591 0.005616583 0.005616583 0.005616583
 1001881 0.010671137 0.010671137 0.010671137
 10012939 0.02514047 0.02514047 0.02514047
 100028881 0.072272281 0.072272281 0.072272281
 400058881 0.137212525 0.137212525 0.137212525
 1.0006772e+09 0.222052506 0.222052506 0.222052506
END
$s0_1 << END
 9591 0.000687449217 0.000687449217 0.000687449217
 1001881 0.00702613915 0.00702613915 0.00702613915
 10012939 0.0222120919 0.0222120919 0.0222120919
 100028881 0.0702055396 0.0702055396 0.0702055396
 400058881 0.14040114 0.14040114 0.14040114
 1.0006772e+09 0.222052506 0.222052506 0.222052506
END
$s0_2 << END
 9591 0.000183547 0.000183547 0.000183547
 1001881 0.011456534 0.011456534 0.011456534
 10012939 0.115687126 0.115687126 0.115687126
 100028881 1.11894876 1.11894876 1.11894876
 400058881 4.38760739 4.38760739 4.38760739
 1.0006772e+09 11.317031 11.317031 11.317031
END
$s0_3 << END
 9591 0.000108468189 0.000108468189 0.000108468189
 1001881 0.0113306452 0.0113306452 0.0113306452
 10012939 0.113240054 0.113240054 0.113240054
 100028881 1.13126385 1.13126385 1.13126385
 400058881 4.52441481 4.52441481 4.52441481
 1.0006772e+09 11.317031 11.317031 11.317031
END
unset logscale x; unset nonlinear x; set autoscale x; set xtics autofreq; set format x '%g'
set logscale x; set format x '10^{%T}'
set xrange [*:*] noreverse
set xlabel 'parameters n' noenhanced
unset logscale y; unset nonlinear y; set autoscale y; set ytics autofreq; set format y '%g'
set logscale y; set format y '10^{%T}'
set yrange [*:*] noreverse
set ylabel 'seconds' noenhanced
set title '' noenhanced
plot $s0_0 using 1:2 with points lc rgb '#0072b2' pt 7 ps 0.35 title 'K and its eigenvalues' noenhanced, \
  $s0_1 using 1:2 with lines lc rgb '#0072b2' dt 2 lw 1.5 title 'n^(1/2)' noenhanced, \
  $s0_2 using 1:2 with points lc rgb '#d55e00' pt 6 ps 0.35 title 'forward and adjoint: the factors' noenhanced, \
  $s0_3 using 1:2 with lines lc rgb '#d55e00' dt 2 lw 1.5 title 'n' noenhanced
unset multiplot

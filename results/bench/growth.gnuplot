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
 9591 0.005079585 0.005079585 0.005079585
 1001881 0.009186851 0.009186851 0.009186851
 10012939 0.022822274 0.022822274 0.022822274
 100028881 0.07625564 0.07625564 0.07625564
 400058881 0.163912826 0.163912826 0.163912826
 1.0006772e+09 0.249655079 0.249655079 0.249655079
END
$s0_1 << END
 9591 0.000772903633 0.000772903633 0.000772903633
 1001881 0.00789953402 0.00789953402 0.00789953402
 10012939 0.0249731996 0.0249731996 0.0249731996
 100028881 0.0789325455 0.0789325455 0.0789325455
 400058881 0.157853916 0.157853916 0.157853916
 1.0006772e+09 0.249655079 0.249655079 0.249655079
END
$s0_2 << END
 9591 0.000166941 0.000166941 0.000166941
 1001881 0.009337471 0.009337471 0.009337471
 10012939 0.108641618 0.108641618 0.108641618
 100028881 1.04015191 1.04015191 1.04015191
 400058881 4.25878481 4.25878481 4.25878481
 1.0006772e+09 9.95339722 9.95339722 9.95339722
END
$s0_3 << END
 9591 9.53984288e-05 9.53984288e-05 9.53984288e-05
 1001881 0.009965371 0.009965371 0.009965371
 10012939 0.0995953132 0.0995953132 0.0995953132
 100028881 0.994953403 0.994953403 0.994953403
 400058881 3.9792502 3.9792502 3.9792502
 1.0006772e+09 9.95339722 9.95339722 9.95339722
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
